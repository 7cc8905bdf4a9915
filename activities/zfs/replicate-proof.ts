import { parentOf } from './dataset-names.js';
import { ownReplicaOf } from './replicate-judge.js';
import { replicaOf } from './replicate-moves.js';
import type { DatasetPlan, PlanInput, PlanKind } from './replicate-types.js';
import { type Selection, selectDatasets } from './select.js';
import type { Dataset, Listing } from './types.js';

/** What only a human can let go on. */
export const stopping: ReadonlySet<PlanKind> = new Set(['diverged', 'foreign', 'encryption', 'type']);

/** By their names on the source: whose replica has snapshots, and none of them is theirs. */
export const strangersIn = ({
  plans,
  input,
}: {
  plans: readonly DatasetPlan[];
  input: PlanInput;
}): string[] =>
  plans.flatMap((plan) => {
    const { kind, source, target, common } = plan;
    if (kind !== 'gone' && (common || !replicaOf(input.target, plan)?.snapshots.length)) return [];
    return [source || `${input.sourceRoot}${target.slice(input.targetRoot.length)}`];
  });

/** Properties that keep a replica from being changed or mounted over something, where they are no longer as we set them. */
export function driftOf(plans: readonly DatasetPlan[], input: DriftInput): string[] {
  return plans.flatMap((plan) => {
    const dataset = replicaOf(input.target, plan);
    if (!dataset || !isKept(plan, dataset, input)) return [];
    const odd = [
      ...oddMount(dataset),
      ...oddPlace(dataset, input.source.get(plan.source), input.target),
      ...(plan.common ? [] : oddContent(dataset)),
    ];
    return odd.length === 0 ? [] : [`${plan.target}: ${odd.join(', ')}`];
  });
}

type DriftInput = Pick<PlanInput, 'source' | 'target'>;

/** Sound and up to date, or kept without a source: no plan looks at what becomes of those. What others made below a replica is theirs. */
const isKept = ({ kind, common }: DatasetPlan, dataset: Dataset, input: DriftInput): boolean =>
  kind === 'nothing'
    ? common !== undefined
    : (kind === 'gone' || kind === 'excluded') && ownReplicaOf(dataset, input) !== undefined;

/** With a source it would have diverged. */
const oddContent = ({ writtenBytes, resumeToken, snapshots }: Dataset): string[] =>
  writtenBytes > 0 && resumeToken === undefined && snapshots.length > 0
    ? [`${writtenBytes} bytes were written after @${snapshots.at(-1)?.name}`]
    : [];

const oddMount = (dataset: Dataset): string[] => [
  ...(dataset.readonly === 'on' ? [] : ['readonly is not on']),
  ...(dataset.type === 'volume' || dataset.canmount !== 'on' ? [] : ['canmount is on']),
  ...(dataset.mounted ? [`it is mounted at ${dataset.mountpoint}`] : []),
];

/** Where a machine itself lives: what is mounted there hides it. */
const ofTheSystem =
  /^\/(bin|boot|dev|etc|home|lib|lib64|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)?(\/(lib|log|tmp|local))?$/;

/** A mount point of its own is what `-x mountpoint` keeps away: set later, it would cover what lives there as soon as it is mounted. */
function oddPlace(dataset: Dataset, source: Dataset | undefined, target: Listing): string[] {
  const { mountpoint, name, type } = dataset;
  if (type === 'volume' || mountpoint === undefined || !mountpoint.startsWith('/')) return [];
  if (ofTheSystem.test(mountpoint)) return [`its mountpoint is ${mountpoint}, a place of the system`];
  if (mountpoint === source?.mountpoint)
    return [`its mountpoint is ${mountpoint}, where its source is mounted`];
  const parent = target.get(parentOf(name))?.mountpoint;
  if (parent === undefined || !parent.startsWith('/')) return [];
  const inherited = `${parent === '/' ? '' : parent}/${name.slice(name.lastIndexOf('/') + 1)}`;
  return mountpoint === inherited ? [] : [`its mountpoint is ${mountpoint} and not below its parent's`];
}

/** Replicas that are encryption roots, which a raw stream makes: by where their key is looked for. */
export function keyPlaces(plans: readonly DatasetPlan[], { target }: Pick<PlanInput, 'target'>) {
  const prompts: string[] = [];
  const files = new Map<string, string[]>();
  for (const plan of plans) {
    const dataset = plan.common ? replicaOf(target, plan) : undefined;
    if (!dataset || dataset.encryptionRoot !== dataset.name) continue;
    const { keyLocation = 'none' } = dataset;
    if (!keyLocation.startsWith('file://')) {
      if (keyLocation === 'prompt') prompts.push(plan.target);
      continue;
    }
    const path = keyLocation.slice('file://'.length);
    files.set(path, [...(files.get(path) ?? []), plan.target]);
  }
  return { prompts, files };
}

export const keyNote = (prompts: readonly string[]): string[] =>
  prompts.length === 0
    ? []
    : [
        `${prompts.length} encrypted there ask for their key (keylocation=prompt), as ${prompts[0]}: keep it where the source is not`,
      ];

/** What a receive has left that nobody will go on with: it takes space, and keeps other tools from receiving. */
export const forgottenTokens = (
  plans: readonly DatasetPlan[],
  { target }: Pick<PlanInput, 'target'>,
): string[] =>
  plans.flatMap((plan) => {
    const isOpen = replicaOf(target, plan)?.resumeToken !== undefined;
    if (!isOpen || plan.resume || plan.abandon || plan.unread) return [];
    return [
      `${plan.target} (${plan.kind}): partially received state that nobody goes on with; "zfs receive -A" gives it up`,
    ];
  });

/** The root travels whatever `include` says: a run that copies nothing but that must not look as if it did what it is for. */
export const nothingMeant = (source: Listing, selection: Selection): string[] =>
  selectDatasets(source, selection).datasets.length > 0
    ? []
    : [
        `include and exclude leave no dataset of ${selection.dataset} to be replicated: look at them in holdfast.yaml`,
      ];
