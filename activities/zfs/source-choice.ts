import { HoldfastError } from '../../contracts/errors.js';
import { ownSnapshot } from './snapshot-plan.js';
import type { SourcePlan } from './source-plan.js';
import type { Dataset, Listing, Snapshot } from './types.js';

/** Which snapshots of a dataset are read by another tool. Pure: a listing in, a plan out. */

/** Files are read, so there must be files, and a key where they are encrypted. */
export function refuseUnreadable(datasets: readonly Dataset[], resource: string): void {
  const volume = datasets.find(({ type }) => type === 'volume');
  if (volume) {
    const message = `"${resource}": ${volume.name} is a zvol, a disk of somebody else: no files can be read from it. Replicate it (zfs-replication), back it up where it is used, or exclude it`;
    throw new HoldfastError('HF_SOURCE_MISSING', message.slice(0, 300));
  }
  const locked = datasets.find(({ keyStatus }) => keyStatus === 'unavailable');
  if (!locked) return;
  const message = `"${resource}": the key of ${locked.name} is not loaded, so its files cannot be read. Run "zfs load-key ${locked.encryptionRoot}" on the host, or exclude it`;
  throw new HoldfastError('HF_SOURCE_MISSING', message.slice(0, 300));
}

/** The snapshots of this very run, or the newest ones of a job. */
type Meant = { run: string; name: string } | { run?: undefined; job: string };

/** The newest snapshot that the planned datasets have in common, and that says it is of this run or job. A dataset that was born after it has no part in it. */
export function planFrom(datasets: readonly Dataset[], by: Meant, resource: string): SourcePlan {
  const newest = newestOf(datasets, by);
  if (newest?.run === undefined) {
    const message = `"${resource}": no dataset of it has a snapshot of ${by.run ?? `the job "${by.job}"`}. Run that job first`;
    throw new HoldfastError('HF_SOURCE_MISSING', message.slice(0, 300));
  }
  const { name, run } = newest;
  const made = datasets.flatMap((dataset) => {
    const snapshot = ownSnapshot(dataset, name, run);
    return snapshot ? [{ dataset, snapshot }] : [];
  });
  // All of them lie below one dataset, so in one pool: its txgs can be compared.
  const firstTxg = Math.min(...made.map(({ snapshot }) => snapshot.createtxg));
  const missed = datasets.find(
    (dataset) => dataset.createtxg <= firstTxg && !ownSnapshot(dataset, name, run),
  );
  if (missed) {
    const message = `"${resource}": ${missed.name} has no snapshot ${name}, which the others have. Run the snapshot job again`;
    throw new HoldfastError('HF_SOURCE_MISSING', message.slice(0, 300));
  }
  const oldestS = Math.min(...made.map(({ snapshot }) => snapshot.creationS));
  return {
    snapshot: name,
    restorePoint: new Date(oldestS * 1000).toISOString(),
    datasets: made.map(({ dataset }) => dataset.name),
    guids: made.map(({ dataset }) => dataset.guid),
  };
}

/** No single dataset can be asked for it: the first one may be younger than the newest snapshots, and one that was received has old ones with young txgs. */
function newestOf(datasets: readonly Dataset[], by: Meant): Snapshot | undefined {
  const isMeant = (one: Snapshot): boolean =>
    by.run === undefined ? one.job === by.job : one.run === by.run && one.name === by.name;
  const newest = datasets.map(({ snapshots }) => snapshots.findLast(isMeant));
  const isSame = (one: Snapshot, other: Snapshot | undefined): boolean =>
    one.name === other?.name && one.run === other.run;
  const different = newest.filter(
    (one, at): one is Snapshot => !!one && newest.findIndex((other) => isSame(one, other)) === at,
  );
  // Where both are, the pool's own order tells; else only the clock is left.
  const isOld = (one: Snapshot): boolean =>
    datasets.some(
      ({ snapshots }, at) => !isSame(one, newest[at]) && snapshots.some((other) => isSame(other, one)),
    );
  return different
    .toSorted((a, b) => Number(isOld(b)) - Number(isOld(a)) || a.creationS - b.creationS)
    .at(-1);
}

const namedAtMost = 5;

/** The plan without the datasets that are gone, and what is to be said of them; undefined when none is gone, or all. One that only changed its name is not gone. */
export function withoutVanished(
  plan: SourcePlan,
  listing: Listing,
): { plan: SourcePlan; note: string } | undefined {
  const { guids } = plan;
  if (guids?.length !== plan.datasets.length) return undefined;
  const now = new Set([...listing.values()].map(({ guid }) => guid));
  const isLeft = (_: string, at: number): boolean => now.has(guids[at] ?? '');
  const datasets = plan.datasets.filter(isLeft);
  if (datasets.length === 0 || datasets.length === plan.datasets.length) return undefined;
  const gone = plan.datasets.filter((name, at) => !isLeft(name, at));
  const more = gone.length > namedAtMost ? ` and ${gone.length - namedAtMost} more` : '';
  const named = `${gone.slice(0, namedAtMost).join(', ')}${more}`;
  return {
    plan: { ...plan, datasets, guids: guids.filter((guid) => now.has(guid)) },
    note: `${gone.length} gone before their snapshots could be held, and not read: ${named}`.slice(0, 400),
  };
}
