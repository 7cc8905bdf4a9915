import { HoldfastError } from '../../contracts/errors.js';
import { complains, mustSucceed, zfsFailure } from './classify.js';
import { zfsCommand } from './list-command.js';
import { listTrees, type Zfs } from './listing.js';
import { holdTags } from './replicate-hosts.js';

/** Holds keep snapshots from being destroyed by anybody. Each names the run that wants them. */

const atOnce = 500;

function* batches<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += atOnce) yield all.slice(from, from + atOnce);
}

/** One that a killed attempt holds already is what we want. */
export async function holdSnapshots(
  zfs: Zfs,
  tag: string,
  { datasets, snapshot }: { datasets: readonly string[]; snapshot: string },
): Promise<void> {
  const { host, signal } = zfs;
  const hold = (names: readonly string[]) =>
    host.run(zfsCommand(zfs.zfs, ['hold', tag, ...names]), { signal });
  for (const names of batches(datasets.map((dataset) => `${dataset}@${snapshot}`))) {
    const all = await hold(names);
    if (all.exitCode === 0) continue;
    if (!isHeld(all.stderrTail)) {
      if (await isReadOnlyPool(zfs, names[0])) return;
      throw zfsFailure(all, `hold ${names[0]}`, host.name);
    }
    for (const name of names) {
      const one = await hold([name]);
      if (!isHeld(one.stderrTail)) mustSucceed(one, `hold ${name}`, host.name);
    }
  }
}

const isHeld = (words: string): boolean => complains(/tag already exists/, words);

/** A pool that was imported read-only takes no holds, and needs none: nobody can destroy anything in it. */
async function isReadOnlyPool({ host, signal, zpool }: Zfs, snapshot = ''): Promise<boolean> {
  const pool = snapshot.replace(/[/@].*$/s, '');
  const { exitCode, stdout } = await host.run(
    zfsCommand(zpool, ['get', '-Hp', '-o', 'value', 'readonly', pool]),
    { signal },
  );
  return exitCode === 0 && stdout.trim() === 'on';
}

/** What was held while the pool could be written to stays held in it: nobody else would ever let go of it. */
async function refuseHeld(zfs: Zfs, tag: string, names: readonly string[]): Promise<void> {
  const [held] = [...(await holdTags(zfs, names))].find(([, tags]) => tags.includes(tag)) ?? [];
  if (held === undefined) return;
  const words = `${held} on "${zfs.host.name}" is held by us, and its pool is imported read-only: it is let go of when the pool can be written to`;
  throw new HoldfastError('HF_TOOL_FAILED', words.slice(0, 300));
}

/** Of one snapshot's name in a whole tree, wherever the tag is found. */
export async function releaseSnapshots(
  zfs: Zfs,
  tag: string,
  { root, snapshot }: { root: string; snapshot: string },
): Promise<void> {
  const { host, signal } = zfs;
  const held = [...(await listTrees(zfs, { roots: [root] })).values()].flatMap(({ name, snapshots }) =>
    snapshots.some((one) => one.name === snapshot && one.holds > 0) ? [`${name}@${snapshot}`] : [],
  );
  for (const names of batches(held)) {
    const all = await host.run(zfsCommand(zfs.zfs, ['release', tag, ...names]), { signal });
    if (all.exitCode === 0) continue;
    if (await isReadOnlyPool(zfs, names[0])) {
      await refuseHeld(zfs, tag, names);
      continue;
    }
    for (const name of names) {
      const one = await host.run(zfsCommand(zfs.zfs, ['release', tag, name]), { signal });
      if (!complains(/no such tag/, one.stderrTail)) mustSucceed(one, `release ${name}`, host.name);
    }
  }
}
