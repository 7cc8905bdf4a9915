import { cloneSnapshot, promote } from './clones.js';
import { type ModelDataset, type Pool, ZfsError } from './pool.js';
import type { Random } from './random.js';

/** What others do to the pools while we work: other tools, administrators, applications. They touch neither our holds nor our bookmarks. */

const names = ['alpha', 'b c', 'd.e:f', 'Ω', 'x-1'];

const freeSnapshots = (dataset: ModelDataset): string[] =>
  dataset.snapshots.filter(({ holds }) => holds.size === 0).map(({ name }) => `${dataset.name}@${name}`);

/** One step on the source that any estate sees every day. Throws ZfsError where ZFS would refuse. */
export function sourceStep(pool: Pool, root: string, random: Random, run: string): void {
  const dataset = random.of(pool.below(root));
  if (!dataset) return;
  const kind = random.below(24);
  if (kind < 6) dataset.written += 100;
  else if (kind < 9) snapshotTree(pool, root, run);
  else if (kind < 11) pool.takeSnapshot(`${dataset.name}@${autoName(pool, random)}`);
  else if (kind < 16) destroyOne(pool, dataset, random);
  else if (kind < 18)
    pool.create(`${dataset.name}/${random.of(names)}${random.below(3)}`, childKind(dataset, random));
  else if (kind === 18 && dataset.name !== root) pool.rename(dataset.name, `${dataset.name}-moved`);
  else if (kind === 19 && dataset.name !== root && random.chance(1, 3)) pool.destroyTree(dataset.name);
  else if (kind > 19 && kind < 23) cloneOne(pool, dataset, random);
  else if (kind === 23) promoteOne(pool, root, random);
}

/** A task that names by the time: at both ends it makes the same names, each with a guid of its own. */
const autoName = (pool: Pool, random: Random): string =>
  random.chance(1, 2) ? `auto-${pool.tick()}` : `auto-2026-11-20_0${random.below(4)}-00`;

/** A volume from a snapshot, beside the one that it is of. */
function cloneOne(pool: Pool, { name, snapshots }: ModelDataset, random: Random): void {
  const snapshot = random.of(snapshots);
  const beside = name.slice(0, Math.max(name.lastIndexOf('/'), name.indexOf('/') + 1));
  if (snapshot && beside.includes('/'))
    cloneSnapshot(pool, `${name}@${snapshot.name}`, `${beside}/clone-${pool.tick()}`);
}

function promoteOne(pool: Pool, root: string, random: Random): void {
  const clone = random.of(pool.below(root).filter(({ origin }) => origin !== undefined));
  if (clone) promote(pool, clone.name);
}

const childKind = (parent: ModelDataset, random: Random) => ({
  type: 'filesystem' as const,
  encrypted: parent.encrypted || random.chance(1, 3),
});

/** What the job before a replication does: one recursive snapshot, marked as ours. */
export function snapshotTree(pool: Pool, root: string, run: string): void {
  const name = `holdfast_hourly_${pool.tick()}`;
  for (const { name: dataset } of pool.below(root)) pool.takeSnapshot(`${dataset}@${name}`, run);
}

function destroyOne(pool: Pool, dataset: ModelDataset, random: Random): void {
  const full = random.of(freeSnapshots(dataset));
  if (full !== undefined) pool.destroySnapshot(full);
}

/** One step on the target. Harmless ones leave the replicas as they are; for one that is received raw even an empty snapshot is too much. */
export function targetStep(pool: Pool, root: string, random: Random, harmful: boolean): void {
  const dataset = random.of(pool.below(root));
  if (!dataset) return;
  const kind = random.below(harmful ? 8 : 2);
  if (kind === 0 && harmful) pool.takeSnapshot(`${dataset.name}@${autoName(pool, random)}`);
  else if (kind === 0 && !dataset.raw) pool.takeSnapshot(`${dataset.name}@auto-there-${pool.tick()}`);
  else if (kind === 1) destroyOwn(pool, dataset, random, harmful);
  else if (kind === 2) dataset.written += 50;
  else if (kind === 3) rollBackOne(pool, dataset, random);
  else if (kind === 4 && dataset.name !== root) pool.destroyTree(dataset.name);
  else if (kind === 5) pool.create(`${dataset.name}/${random.of(names)}${random.below(3)}`);
  else if (kind === 6 && dataset.name !== root) pool.rename(dataset.name, `${dataset.name}-other`);
}

/** Another tool prunes its own snapshots; only an administrator takes ours. */
function destroyOwn(pool: Pool, dataset: ModelDataset, random: Random, harmful: boolean): void {
  const free = freeSnapshots(dataset).filter((full) => harmful || full.includes('@auto-there-'));
  const full = random.of(free);
  if (full !== undefined) pool.destroySnapshot(full);
}

function rollBackOne(pool: Pool, dataset: ModelDataset, random: Random): void {
  const snapshot = random.of(dataset.snapshots);
  if (snapshot) pool.rollback(`${dataset.name}@${snapshot.name}`);
}

/** A refusal of ZFS is an answer, too. */
export function tryStep(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof ZfsError)) throw error;
  }
}
