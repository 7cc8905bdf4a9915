import { replicaStoreOf, resourceOf } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { RestorePlan } from '../../contracts/jobs.js';
import type { ReplicationStepInput } from '../../contracts/replication.js';
import type { DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import { sha256 } from '../../system/sha256.js';
import type { Tools } from '../door.js';
import { refuseBesideOthers, seeOthers, unseenWords } from './failover-others.js';
import { floorBytesOf } from './pool-room.js';
import { openReplication } from './replicate-job.js';
import { stopping } from './replicate-proof.js';
import { fitInto } from './replicate-space.js';
import { type Survey, survey, travels } from './replicate-survey.js';
import type { DatasetPlan } from './replicate-types.js';
import { refuseSecondSide } from './role.js';
import { giftFacts, giftsFor, giftWords, newDatasets } from './send-back-properties.js';
import type { Dataset } from './types.js';

/** What sending a replica back would do. The streams themselves are those of a replication, with its ends exchanged. */

/** The same names for all steps of one way back. */
export const backInput = (
  { job, run, resource, store = '', retryForMs, target }: DatasetRestoreStepInput,
  round: number,
): ReplicationStepInput => ({
  job,
  run,
  resource,
  store,
  retryForMs,
  round,
  sendBack: { dataset: target },
});

/** Whether a way back ends where the resource lives: then forward replication goes on from there. */
export const isOwnDataset = ({ config, host }: Tools, resource: string, dataset: string): boolean => {
  const known = resourceOf(config, resource);
  return known.host === host.name && known.dataset === dataset;
};

/** Refuses what would need something to be overwritten; what is shown is what the digest stands for. */
export async function planSendBack(tools: Tools, input: DatasetRestoreStepInput): Promise<RestorePlan> {
  const { ends, request, target } = await openReplication(tools, backInput(input, 0));
  tools.progress({ phase: 'looking at both ends' });
  const now = await survey(ends, request);
  const { sourceRoot } = request;
  const root = now.input.source.get(sourceRoot);
  const isOwn = isOwnDataset(tools, input.resource, input.target);
  const others = isOwn ? await seeOthers(tools, { resource: input.resource, store: input.store ?? '' }) : [];
  if (isOwn) refuseSecondSide(root, input.job);
  refuseBesideOthers(others);
  refuseOverwriting(now, input.target);
  const made = newDatasets(now.input);
  const gifts = await giftsFor(tools, input, { sourceRoot, isOwn }, made);
  const due = now.plans.filter(travels);
  const newest = root?.snapshots.at(-1);
  if (!root || !newest) throw noReplica(sourceRoot);
  // Whoever was interrupted when all had arrived has left datasets that are readonly and do not mount.
  const arrived = made.filter(({ dataset }) => now.input.target.has(dataset.name)).length;
  if (due.length === 0 && arrived === 0) throw nothingToDo(input.target, sourceRoot);
  const { targetRoot } = request;
  const floorBytes = await floorBytesOf(target, tools.config, targetRoot, now.input.target);
  const { leftOut, availableBytes } = fitInto(due, now.input.target, targetRoot, floorBytes);
  const bytes = due.reduce((sum, plan) => sum + plan.bytes, 0);
  if (leftOut.length > 0) throw noSpace(input.target, bytes, availableBytes, floorBytes);
  return {
    snapshot: newest.name,
    restorePoint: new Date(newest.creationS * 1000).toISOString(),
    target: `${tools.host.name}:${input.target}`,
    paths: [],
    files: due.length,
    bytes,
    bytesFree: availableBytes,
    resumes: due.some(({ kind }) => kind === 'resume'),
    digest: digestOf(now, input.target, giftFacts(gifts)),
    steps: [
      `replica    ${replicaStoreOf(tools.config, input.store ?? '').host}: ${request.sourceRoot}, ${now.input.source.size} datasets`,
      ...wordsFor(now, due, root),
      ...(due.length === 0 ? [`arrived    ${arrived} datasets whole; they become ordinary ones`] : []),
      ...giftWords(gifts),
      ...unseenWords(others),
      ...(isOwn
        ? ['then       replication goes on from here: its base is marked on both sides']
        : ['then       the copy stands for itself: it is not the dataset that the job replicates']),
    ],
  };
}

function refuseOverwriting({ plans }: Survey, target: string): void {
  const stopped = plans.filter(({ kind }) => stopping.has(kind));
  const [first] = stopped;
  if (!first) return;
  const more = stopped.length > 1 ? ` (and ${stopped.length - 1} more)` : '';
  const message = `${first.target} is in the way${more}: ${whyInTheWay(first)}. Nothing is ever overwritten: rename it aside ("zfs rename"), or restore beside with --to HOST:${target}-restored`;
  throw new HoldfastError('HF_TARGET_NOT_EMPTY', message.slice(0, 400));
}

/** From the other side: here the replica is the source. */
function whyInTheWay({ kind, loses, reason }: DatasetPlan): string {
  if (kind !== 'diverged' || loses === undefined) return reason;
  if (loses.length === 0) return 'it was written to since the newest snapshot that both sides have';
  return `it has ${loses.length} snapshots that the replica does not have (${loses.slice(-2).join(', ')})`;
}

const nothingToDo = (target: string, sourceRoot: string): HoldfastError =>
  new HoldfastError(
    'HF_NOTHING_TO_DO',
    `${target} has everything that the replica ${sourceRoot} holds. Nothing was changed`.slice(0, 300),
    { next: 'Nothing is left to do: all of it is back' },
  );

const noReplica = (sourceRoot: string): HoldfastError =>
  new HoldfastError('HF_COPY_NOT_FOUND', `The replica ${sourceRoot} holds no snapshot that arrived whole`);

const noSpace = (target: string, needed: number, bytesFree: number, floorBytes: number): HoldfastError =>
  new HoldfastError(
    'HF_NO_SPACE',
    `${target} needs up to ${needed} bytes and ${bytesFree} are free, of which a tenth, and the ${Math.round(floorBytes)} bytes of its pool's floor, are never filled`,
    { needed, bytesFree },
  );

/** Of what a yes is bound to: which guids go where, what lies there now, and what is set on it. */
function digestOf({ plans, input }: Survey, target: string, given: readonly string[]): string {
  const lines = plans.map(({ kind, source, target: name, guid, common, segments, resume }) =>
    [
      kind,
      source,
      name,
      guid,
      common?.guid,
      segments.at(-1)?.toGuid,
      resume?.toGuid,
      input.target.get(name)?.guid,
    ].join(' '),
  );
  return sha256([target, ...lines.sort(), ...given].join('\n'));
}

const few = (names: readonly string[]): string =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? `, and ${names.length - 5} more` : '');

function wordsFor({ plans, input }: Survey, due: readonly DatasetPlan[], root: Dataset): string[] {
  const line = (label: string, list: readonly string[], what: string): string[] =>
    list.length === 0 ? [] : [`${label.padEnd(10)} ${list.length} ${what}: ${few(list)}`];
  const named = (kinds: readonly DatasetPlan['kind'][]): string[] =>
    due.filter(({ kind }) => kinds.includes(kind)).map(({ target }) => target);
  const encrypted = due.filter(({ raw, common }) => raw && !common).map(({ target }) => target);
  return [
    ...line('new', named(['full']), 'datasets'),
    ...line('continued', named(['incremental']), 'datasets from a snapshot that both sides have'),
    ...line('resumed', named(['resume']), 'streams that were interrupted'),
    ...line('older', olderThan(root, [...input.source.values()]), oldWords),
    ...line(
      'stays',
      plans.filter(({ kind }) => kind === 'gone').map(({ target }) => target),
      'datasets are not in the replica',
    ),
    ...line(
      'encrypted',
      encrypted,
      'datasets come back encrypted and locked; each needs its key (zfs load-key)',
    ),
  ];
}

const oldWords =
  'replicas are of an older state than the rest: they were removed on the source, or could not be copied';

/** Replicas without the root's newest snapshot. */
export const olderThan = (root: Dataset, all: readonly Dataset[]): string[] => {
  const newest = root.snapshots.at(-1);
  return all.flatMap(({ name, snapshots }) =>
    snapshots.some((one) => one.name === newest?.name || one.creationS >= (newest?.creationS ?? 0))
      ? []
      : [name],
  );
};
