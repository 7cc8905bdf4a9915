import type { Base, ReplicationPolicy, Segment } from './replicate-types.js';
import { keptByRules } from './retention.js';
import type { Dataset, Listing, Snapshot } from './types.js';

/** Which base a stream starts from, and through which snapshots it goes. By guid, in the order of createtxg; names decide nothing. */

const baseOf = (kind: Base['kind'], one: Omit<Base, 'kind'>): Base => ({
  kind,
  name: one.name,
  guid: one.guid,
  createtxg: one.createtxg,
  creationS: one.creationS,
});

/** Everything of the source that a stream may begin with; a snapshot is better than a bookmark of it, because -I needs one. */
export function basesOf(source: Dataset): ReadonlyMap<string, Base> {
  const bases = new Map<string, Base>();
  for (const one of source.bookmarks) bases.set(one.guid, baseOf('bookmark', one));
  for (const one of source.snapshots) bases.set(one.guid, baseOf('snapshot', one));
  return bases;
}

export interface Common {
  base: Base;
  /** The same moment on the target. */
  at: Snapshot;
  /** What the target has after it. */
  newer: Snapshot[];
}

/** The newest snapshot of the target that the source still knows, as a snapshot or as a bookmark. */
export function newestCommon(source: Dataset, target: Dataset): Common | undefined {
  // Nearly always the newest of both: no index is needed then, which is what makes thousands of datasets cheap.
  const [lastThere, lastHere] = [target.snapshots.at(-1), source.snapshots.at(-1)];
  if (lastThere && lastThere.guid === lastHere?.guid)
    return { base: baseOf('snapshot', lastHere), at: lastThere, newer: [] };
  const bases = basesOf(source);
  for (let index = target.snapshots.length - 1; index >= 0; index--) {
    const at = target.snapshots[index];
    const base = at && bases.get(at.guid);
    if (base) return { base, at, newer: target.snapshots.slice(index + 1) };
  }
  return undefined;
}

/** Whether one of the source is meant to be on the target at all. */
export const mayTravel = (
  { run, job = '' }: Snapshot,
  { snapshots, takenToRead }: ReplicationPolicy,
): boolean => snapshots === 'all' || (run !== undefined && takenToRead?.has(job) !== true);

/** Snapshots of the source that should travel, after a moment (or all). */
export function wantedAfter(
  source: Dataset,
  policy: ReplicationPolicy,
  base: Pick<Base, 'createtxg'> | undefined,
): Snapshot[] {
  const after = base?.createtxg ?? -1;
  const wanted: Snapshot[] = [];
  for (let index = source.snapshots.length - 1; index >= 0; index--) {
    const snapshot = source.snapshots[index];
    if (!snapshot || snapshot.createtxg <= after) break;
    if (mayTravel(snapshot, policy)) wanted.push(snapshot);
  }
  return wanted.reverse();
}

/** Of a backlog, oldest first, what retention would leave on the target: rules look at the newest first, so what is older there changes nothing. */
export function thin(wanted: Snapshot[], { keep, timezone = 'UTC' }: ReplicationPolicy): Snapshot[] {
  const last = wanted.at(-1);
  if (!keep || !last || wanted.length === 1) return wanted;
  const kept = keptByRules(wanted, { keep, timezone, nowS: last.creationS });
  return wanted.filter((snapshot) => snapshot === last || kept.has(snapshot));
}

/** When the newest snapshot that may travel was taken, of the whole tree; undefined when there is none at all. */
export function newestWanted(source: Listing, policy: ReplicationPolicy): number | undefined {
  let newest: number | undefined;
  for (const { snapshots } of source.values()) {
    const last = snapshots.findLast((one) => mayTravel(one, policy));
    if (last && last.createtxg > (newest ?? -1)) newest = last.createtxg;
  }
  return newest;
}

/** The streams that bring the wanted snapshots, as few as the snapshots of others in between allow. */
export function segmentsFor(source: Dataset, base: Base | undefined, wanted: Snapshot[]): Segment[] {
  const segments: Segment[] = [];
  let from = base;
  let run: Snapshot[] = [];
  const close = (): void => {
    const last = run.at(-1);
    if (!last) return;
    segments.push(segmentOf(source, from, last, run.length > 1));
    from = baseOf('snapshot', last);
    run = [];
  };
  const indexes = new Map(source.snapshots.map(({ guid }, index) => [guid, index]));
  const indexOf = (guid: string): number => indexes.get(guid) ?? -1;
  for (const snapshot of wanted) {
    const before = run.at(-1) ?? from;
    const follows = before !== undefined && indexOf(snapshot.guid) === indexOf(before.guid) + 1;
    const isBookmark = run.length === 0 && from?.kind !== 'snapshot';
    // A stream with everything in between begins at a snapshot and takes whatever lies on its way.
    if (!follows || isBookmark) close();
    run.push(snapshot);
    if (!follows || isBookmark) close();
  }
  close();
  return segments;
}

/** For a catch-up straight to the newest: one stream, nothing in between. */
export function segmentTo(source: Dataset, base: Base | undefined, last: Snapshot): Segment {
  return segmentOf(source, base, last, false);
}

function segmentOf(source: Dataset, from: Base | undefined, to: Snapshot, intermediates: boolean): Segment {
  const written = source.snapshots
    .filter(({ createtxg }) => createtxg > (from?.createtxg ?? 0) && createtxg <= to.createtxg)
    .reduce((sum, { writtenBytes }) => sum + writtenBytes, 0);
  return {
    from,
    to: to.name,
    toGuid: to.guid,
    intermediates,
    bytes: from ? written : to.referencedBytes,
  };
}
