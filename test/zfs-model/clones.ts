import type { DatasetPlan } from '../../activities/zfs/replicate-types.js';
import { type ModelDataset, type ModelSnapshot, type Pool, ZfsError } from './pool.js';

/** Clones as OpenZFS makes them and turns them round: what a CSI driver does with volumes from snapshots. */

export function cloneSnapshot(pool: Pool, full: string, name: string): void {
  const { dataset, snapshot } = pool.snapshot(full);
  const { type, encrypted } = dataset;
  pool.create(name, { type, encrypted }).origin = snapshot;
}

/** All until the origin goes over to the clone: snapshots with their holds, and bookmarks. What it was a clone of is a clone of it then. */
export function promote(pool: Pool, name: string): void {
  const clone = pool.dataset(name);
  const { origin } = clone;
  const former = origin && ownerOf(pool, origin);
  if (!origin || !former) throw new ZfsError(`cannot promote '${name}': not a cloned filesystem`);
  const snapshots = former.snapshots.filter(({ txg }) => txg <= origin.txg);
  const bookmarks = former.bookmarks.filter(({ txg }) => txg <= origin.txg);
  const twice = (own: { name: string }[], new_: { name: string }[]): boolean =>
    own.some((one) => new_.some((other) => other.name === one.name));
  // Real pools hang on a bookmark that both have: nobody's step here.
  if (twice(clone.snapshots, snapshots) || twice(clone.bookmarks, bookmarks))
    throw new ZfsError(`cannot promote '${name}': snapshot name conflicts`);
  clone.snapshots.unshift(...snapshots);
  clone.bookmarks.unshift(...bookmarks);
  former.snapshots = former.snapshots.filter((one) => !snapshots.includes(one));
  former.bookmarks = former.bookmarks.filter((one) => !bookmarks.includes(one));
  clone.origin = former.origin;
  former.origin = origin;
}

export const ownerOf = (pool: Pool, snapshot: ModelSnapshot): ModelDataset | undefined =>
  [...pool.datasets.values()].find(({ snapshots }) => snapshots.includes(snapshot));

const own = ({ snapshots, bookmarks }: ModelDataset): string[] =>
  [...snapshots, ...bookmarks].map(({ guid }) => guid);

/** Nothing that both have is left to it, because a clone of it was promoted: its replica stops until a human has looked. */
export const isPromotedOver = (pool: Pool, dataset: ModelDataset, replica: ModelDataset): boolean => {
  const isThere = (guid: string): boolean => replica.snapshots.some((one) => one.guid === guid);
  return !own(dataset).some(isThere) && knownGuids(pool, dataset).some(isThere);
};

/**
 * Promoted over and renamed: no single replica could be found by what is left, so the dataset gets another one, and the old one is kept.
 * Cheap for all others: they are called like their replicas.
 */
export function isLeftBehind(
  dataset: ModelDataset,
  replica: ModelDataset,
  target: Pool,
  roots: Roots,
): boolean {
  const name = `${roots.targetRoot}${dataset.name.slice(roots.sourceRoot.length)}`;
  if (name === replica.name) return false;
  if (target.datasets.get(name)?.properties.get('holdfast:replica-of') === dataset.guid) return true;
  const known = own(dataset);
  return dataset.origin !== undefined && !replica.snapshots.some(({ guid }) => known.includes(guid));
}

interface Roots {
  sourceRoot: string;
  targetRoot: string;
}

/** A name that was given a second time on the source: the new one cannot arrive where the old one still is. */
export const isNameTaken = (dataset: ModelDataset, replica: ModelDataset): boolean =>
  dataset.snapshots.some(({ name, guid }) =>
    replica.snapshots.some((one) => one.name === name && one.guid !== guid),
  );

/** Cursors of replicas that are stopped stay where a promoted clone has taken them. */
export const stoppedGuids = (
  plans: readonly Pick<DatasetPlan, 'kind' | 'target'>[],
  target: Pool,
): ReadonlySet<string> =>
  new Set(
    plans.flatMap((plan) =>
      plan.kind === 'diverged' ? target.dataset(plan.target).snapshots.map(({ guid }) => guid) : [],
    ),
  );

/** Guids that a dataset knows: its own, and what a clone that was promoted has taken over from it. */
export function knownGuids(pool: Pool, dataset: ModelDataset): string[] {
  const { origin } = dataset;
  const former = origin && ownerOf(pool, origin);
  return former ? [...own(dataset), ...knownGuids(pool, former)] : own(dataset);
}
