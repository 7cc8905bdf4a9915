import { replicaOf } from './replicate-moves.js';
import { cursorName, fenceTag, fits, holdPrefix, isCursor } from './replicate-names.js';
import type { DatasetPlan, PlanInput } from './replicate-types.js';
import type { Dataset, Snapshot } from './types.js';

/** What replication leaves in the pools and takes away again: cursors, holds, fences. Decided by what both sides show now, never by memory. */

export interface Upkeep {
  source: {
    /** Bookmarks to make, from a snapshot or another bookmark. */
    bookmarks: { from: string; cursor: string }[];
    /** Cursors that are older than a proved base, or of a stream that never came. */
    destroy: string[];
    release: { tag: string; snapshot: string }[];
  };
  target: { fence: string[]; release: { tag: string; snapshot: string }[] };
}

export type HoldTags = ReadonlyMap<string, readonly string[]>;

const settled: ReadonlySet<DatasetPlan['kind']> = new Set(['nothing', 'incremental', 'resume', 'full']);

interface Pair {
  plan: DatasetPlan;
  source: Dataset | undefined;
  target: Dataset | undefined;
}

function* pairs(plans: readonly DatasetPlan[], { source, target }: PlanInput): Generator<Pair> {
  for (const plan of plans) {
    if (plan.source === '') continue;
    yield { plan, source: source.get(plan.source), target: replicaOf(target, plan) };
  }
}

/** Snapshots with holds whose tags must be known: a second command, so only those that should have none. */
export function holdsToAsk(
  plans: readonly DatasetPlan[],
  input: PlanInput,
): { source: string[]; target: string[] } {
  const asked = { source: [] as string[], target: [] as string[] };
  const held = (dataset: Dataset | undefined, mayBe: (snapshot: Snapshot) => boolean): string[] =>
    (dataset?.snapshots ?? [])
      .filter((snapshot) => snapshot.holds > 0 && !mayBe(snapshot))
      .map(({ name }) => `${dataset?.name}@${name}`);
  for (const { plan, source, target } of pairs(plans, input)) {
    asked.source.push(...held(source, ({ name }) => staysHeld(plan, name, input)));
    if (settled.has(plan.kind) && input.policy.marks !== 'none')
      asked.target.push(...held(target, ({ guid }) => guid === plan.common?.guid));
  }
  return asked;
}

/** What is still to be sent stays held; so does the base itself where the dataset's name leaves no room for a cursor. */
function staysHeld(plan: DatasetPlan, snapshot: string, { policy }: PlanInput): boolean {
  if (plan.holds.includes(snapshot)) return true;
  const { common } = plan;
  return common?.name === snapshot && !fits(plan.source, cursorName(policy.destination, common.guid));
}

/** What is missing or left over. A dataset that is stopped keeps its cursors and fences until a human has looked, but no holds. */
export function planUpkeep(plans: readonly DatasetPlan[], input: PlanInput, tags: HoldTags): Upkeep {
  const upkeep: Upkeep = {
    source: { bookmarks: [], destroy: [], release: [] },
    target: { fence: [], release: [] },
  };
  const others = basesOfStopped(plans, input);
  for (const pair of pairs(plans, input)) {
    if (pair.source) keepHolds(pair.plan, pair.source, input, tags, upkeep);
    if (!settled.has(pair.plan.kind) || input.policy.marks === 'none') continue;
    if (pair.source) keepCursors(pair.plan, pair.source, { input, others }, upkeep);
    if (pair.target) keepFence(pair.plan, pair.target, tags, upkeep);
  }
  return upkeep;
}

/** A clone that was promoted has taken over the cursor of another dataset, whose replica has nothing else left to begin with. */
const basesOfStopped = (plans: readonly DatasetPlan[], { target }: PlanInput): ReadonlySet<string> =>
  new Set(
    plans.flatMap((plan) =>
      plan.kind === 'diverged' ? (replicaOf(target, plan)?.snapshots ?? []).map(({ guid }) => guid) : [],
    ),
  );

interface Cursors {
  input: PlanInput;
  /** Guids that replicas have which are stopped. */
  others: ReadonlySet<string>;
}

function keepCursors(plan: DatasetPlan, source: Dataset, { input, others }: Cursors, upkeep: Upkeep): void {
  const { common } = plan;
  const { destination } = input.policy;
  // Without a common base every cursor may be the one that is needed when a human has looked.
  if (!common) return;
  const cursor = cursorName(destination, common.guid);
  const own = source.bookmarks.filter(({ name }) => isCursor(name, destination));
  if (!own.some(({ guid }) => guid === common.guid)) {
    if (!fits(source.name, cursor)) return;
    const sign = common.kind === 'bookmark' ? '#' : '@';
    upkeep.source.bookmarks.push({
      from: `${source.name}${sign}${common.name}`,
      cursor: `${source.name}#${cursor}`,
    });
  }
  const pending = new Set([plan.resume?.toGuid, ...plan.segments.map(({ toGuid }) => toGuid)]);
  for (const { name, guid } of own)
    if (guid !== common.guid && !pending.has(guid) && !others.has(guid))
      upkeep.source.destroy.push(`${source.name}#${name}`);
}

/** Holds of this destination, of whatever run: what is still to be sent keeps them, everything else was left behind. */
function keepHolds(
  plan: DatasetPlan,
  source: Dataset,
  input: PlanInput,
  tags: HoldTags,
  upkeep: Upkeep,
): void {
  for (const { name, holds } of source.snapshots) {
    if (holds === 0 || staysHeld(plan, name, input)) continue;
    const snapshot = `${source.name}@${name}`;
    for (const tag of tags.get(snapshot) ?? [])
      if (tag.startsWith(holdPrefix(input.policy.destination))) upkeep.source.release.push({ tag, snapshot });
  }
}

function keepFence(
  { common, target: name }: DatasetPlan,
  target: Dataset,
  tags: HoldTags,
  upkeep: Upkeep,
): void {
  if (!common) return;
  // Upkeep comes after renames: `name` is what the replica is called then.
  const at = target.snapshots.find(({ guid }) => guid === common.guid);
  if (at && !hasFence(at, `${target.name}@${at.name}`, tags)) upkeep.target.fence.push(`${name}@${at.name}`);
  for (const { name: other, guid, holds } of target.snapshots) {
    if (holds === 0 || guid === common.guid) continue;
    const known = tags.get(`${target.name}@${other}`) ?? [];
    if (known.includes(fenceTag)) upkeep.target.release.push({ tag: fenceTag, snapshot: `${name}@${other}` });
  }
}

/** Any hold is a fence; the tags of this one are not asked for. */
const hasFence = ({ holds }: Snapshot, full: string, tags: HoldTags): boolean =>
  holds > 0 && (tags.get(full)?.length ?? 1) > 0;

/** Nothing to make, destroy or release. */
export const isIdle = ({ source, target }: Upkeep): boolean =>
  [source.bookmarks, source.destroy, source.release, target.fence, target.release].every(
    (list) => list.length === 0,
  );
