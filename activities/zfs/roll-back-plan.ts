import { HoldfastError } from '../../contracts/errors.js';
import { chooseSnapshot, type FilesRequest, namedIn } from './files-plan.js';
import { cursorDestination } from './retention-copies.js';
import type { Dataset } from './types.js';

/**
 * A roll-back that destroys nothing: the tree of today is renamed aside, its snapshot is cloned to the old place, and the clones take over
 * the history until then. Pure: a listing in, what will be done out.
 */

/** Enough to go either way from any point; kept in the journal before anything is touched. */
export interface RollBack {
  root: string;
  /** Where the tree of today goes. Never removed by us. */
  aside: string;
  /** Where the rolled back tree goes when the former state comes back. */
  back: string;
  snapshot: string;
  /** Parents first; names below the root, "" for itself. */
  datasets: { below: string; guid: string; type: Dataset['type'] }[];
  /** File systems (below the root) that were mounted, parents first. */
  mounted: string[];
  /** File systems (below the root) that mount by themselves. */
  mounting: string[];
}

export interface RollBackPlan extends RollBack {
  /** ISO 8601 UTC. */
  restorePoint: string;
  /** What the operator is shown. */
  steps: string[];
}

export function planRollBack(
  all: readonly Dataset[],
  { root, run, ...request }: Pick<FilesRequest, 'root' | 'copy' | 'at' | 'job'> & { run: string },
): RollBackPlan {
  const [top] = all;
  if (top?.name !== root) throw new HoldfastError('HF_DATASET_MISSING', `There is no dataset ${root}`);
  if (!root.includes('/')) throw refused(root, 'it is a whole pool, which has no name beside it');
  const chosen = chooseSnapshot([top], request);
  const rolled = all.filter((one) => namedIn(one, chosen.name) !== undefined);
  const names = new Set(rolled.map(({ name }) => name));
  const orphan = rolled.find(({ name }) => name !== root && !names.has(name.slice(0, name.lastIndexOf('/'))));
  if (orphan)
    throw refused(root, `${orphan.name} has the snapshot @${chosen.name} and the dataset above it has not`);
  const locked = rolled.find(({ keyStatus }) => keyStatus === 'unavailable');
  if (locked)
    throw refused(root, `the key of ${locked.name} is not loaded: "zfs load-key ${locked.encryptionRoot}"`);
  const legacy = all.find(({ mounted, mountpoint }) => mounted && mountpoint === 'legacy');
  if (legacy) throw refused(root, `${legacy.name} is mounted by the system (legacy): unmount it first`);
  const below = ({ name }: Dataset): string => name.slice(root.length);
  const systems = all.filter(({ type }) => type === 'filesystem');
  const suffix = run.replaceAll(':', '');
  const longest = longestBelow(all, root);
  if (root.length + '.restored-'.length + suffix.length + longest.length > 255)
    throw refused(root, `${longest.slice(1, 81)} would have more than ZFS's 255 characters beside it`);
  return {
    root,
    aside: `${root}.before-${suffix}`,
    back: `${root}.restored-${suffix}`,
    snapshot: chosen.name,
    restorePoint: new Date(chosen.creationS * 1000).toISOString(),
    datasets: rolled.map((one) => ({
      below: below(one),
      guid: namedIn(one, chosen.name)?.guid ?? '',
      type: one.type,
    })),
    mounted: systems.filter(({ mounted }) => mounted).map(below),
    mounting: systems.filter(({ canmount }) => canmount === 'on').map(below),
    steps: wordsFor(all, names, { root, snapshot: chosen.name, aside: `${root}.before-${suffix}` }),
  };
}

/** What is renamed keeps its snapshots, whose names count as well. */
function longestBelow(all: readonly Dataset[], root: string): string {
  const names = all.flatMap(({ name, snapshots }) => [
    name,
    ...snapshots.map((one) => `${name}@${one.name}`),
  ]);
  return names.reduce((most, name) => (name.length > most.length ? name : most), root).slice(root.length);
}

const refused = (root: string, why: string): HoldfastError =>
  new HoldfastError(
    'HF_TARGET_REFUSED',
    `${root} is not rolled back: ${why}. Nothing was touched`.slice(0, 400),
  );

const few = (names: readonly string[]): string =>
  names.slice(0, 4).join(', ') + (names.length > 4 ? `, and ${names.length - 4} more` : '');

function wordsFor(
  all: readonly Dataset[],
  rolled: ReadonlySet<string>,
  { root, snapshot, aside }: { root: string; snapshot: string; aside: string },
): string[] {
  const newer = all.flatMap((one) => {
    const at = namedIn(one, snapshot)?.createtxg ?? Number.POSITIVE_INFINITY;
    return one.snapshots.filter(({ createtxg }) => createtxg > at).map(({ name }) => `${one.name}@${name}`);
  });
  const volumes = all
    .filter(({ type, name }) => type === 'volume' && rolled.has(name))
    .map(({ name }) => name);
  const left = all.filter(({ name }) => !rolled.has(name)).map(({ name }) => name);
  const replicas = [
    ...new Set(
      all.flatMap(({ bookmarks }) => bookmarks.flatMap(({ name }) => cursorDestination(name) ?? [])),
    ),
  ];
  const line = (label: string, names: readonly string[], what: string): string[] =>
    names.length === 0 ? [] : [`${label.padEnd(10)} ${names.length} ${what}: ${few(names)}`];
  return [
    `aside      ${all.length} datasets as they are now go to ${aside}, with what is newer, and stay there; nothing is destroyed`,
    `back       ${rolled.size} datasets of @${snapshot} come to ${root} as clones, with the snapshots until then`,
    ...line('newer', newer, 'newer snapshots go aside'),
    ...line('left', left, `datasets have no such snapshot and are only in ${aside} afterwards`),
    ...line(
      'disks',
      volumes,
      'zvols: end their sessions (iSCSI, guests) first, what has them open would write to the old ones',
    ),
    ...line(
      'replicas',
      replicas,
      'destinations: where they have something newer than this snapshot, replication stops and says so until it is parked',
    ),
    'mounted    all are unmounted for some seconds; what is in use refuses, and nothing is changed then',
  ];
}
