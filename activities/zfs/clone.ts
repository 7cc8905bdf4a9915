import { HoldfastError } from '../../contracts/errors.js';
import type { RestorePlan, RestoreReport } from '../../contracts/jobs.js';
import type { DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import { sha256 } from '../../system/sha256.js';
import type { Tools } from '../door.js';
import { mustSucceed } from './classify.js';
import { type Cloned, chooseClones } from './clone-plan.js';
import { isAtOrBelow, parentOf } from './dataset-names.js';
import { originOf } from './files-source.js';
import { ownProperties, zfsCommand } from './list-command.js';
import { listTrees, type Zfs } from './listing.js';
import { allowedDataset } from './restore-place.js';
import type { Listing } from './types.js';

/** A snapshot as datasets of their own, beside the original: nothing is copied and nothing is changed. */

interface Prepared {
  zfs: Zfs;
  clones: Cloned[];
  there: Listing;
  plan: RestorePlan;
}

export const planClone = async (tools: Tools, input: DatasetRestoreStepInput): Promise<RestorePlan> =>
  (await prepare(tools, input)).plan;

async function prepare(tools: Tools, input: DatasetRestoreStepInput): Promise<Prepared> {
  const origin = originOf(tools, input);
  if (origin.name !== tools.host.name)
    throw new HoldfastError(
      'HF_TARGET_REFUSED',
      `A clone lies in the pool of its snapshot, which is on "${origin.name}": --to ${origin.name}:DATASET`,
    );
  const target = allowedDataset(tools.config, tools.host.name, origin.root, input.target);
  tools.progress({ phase: 'choosing the snapshot' });
  const all = origin.select(await listTrees(origin.zfs, { roots: [origin.root] }));
  const { paths, copy, at } = input;
  const chosen = chooseClones(all, { root: origin.root, target, paths, copy, at, job: origin.job });
  const there = await listTarget(origin.zfs, target);
  const isOurs = there.has(target) && (await runThatMade(origin.zfs, target)) === input.run;
  refuseTaken(isOurs ? chosen.clones : [], there, target);
  const { clones, snapshot, restorePoint, notes } = chosen;
  const lines = clones.map(({ from, snapshot: name, guid, to }) => `${from}@${name} ${guid} ${to}`);
  const plan: RestorePlan = {
    snapshot,
    restorePoint,
    target: `${tools.host.name}:${target}`,
    paths: input.paths,
    files: clones.length,
    bytes: 0,
    bytesFree: there.get(parentOf(target))?.availableBytes ?? -1,
    resumes: clones.some(({ to }) => there.has(to)),
    digest: sha256(lines.join('\n')),
    steps: [
      `clone      ${clones.length} datasets of ${clones[0]?.from}, which stay as they are`,
      'mounted    not: the mount point is none until you set another',
      `later      "zfs destroy -r '${target}'" removes them; until then the snapshots cannot be removed`,
      ...notes.slice(0, 20).map((note) => `note       ${note}`),
    ],
  };
  return { zfs: origin.zfs, clones, there, plan };
}

/** The parent must be there; what is to come may be there in part, by an earlier attempt. */
async function listTarget(zfs: Zfs, target: string): Promise<Listing> {
  const types = ['filesystem', 'volume'] as const;
  const parent = await listTrees(zfs, { roots: [parentOf(target)], types, depth: 1 });
  if (!parent.has(target)) return parent;
  return new Map([...parent, ...(await listTrees(zfs, { roots: [target], types }))]);
}

/** What lies below it inherits the mark: a clone of an earlier run may have been written to, and is not this one's. */
async function runThatMade({ host, zfs, signal }: Zfs, target: string): Promise<string> {
  const words = ['get', '-Hp', '-o', 'value', ownProperties.run, target];
  const result = await host.run(zfsCommand(zfs, words), { signal });
  return mustSucceed(result, `look at ${target}`, host.name).stdout.trim();
}

function refuseTaken(clones: readonly Cloned[], there: Listing, target: string): void {
  const planned = new Map(clones.map((clone) => [clone.to, clone]));
  for (const { name, origin } of there.values()) {
    if (!isAtOrBelow(name, target)) continue;
    const clone = planned.get(name);
    if (clone && origin === `${clone.from}@${clone.snapshot}`) continue;
    throw new HoldfastError(
      'HF_TARGET_NOT_EMPTY',
      `${name} exists already. Nothing is ever overwritten; choose another name`.slice(0, 300),
    );
  }
}

/** Parents first; what an earlier attempt made is left as it is. The listing afterwards is the proof. */
export async function makeClones(tools: Tools, input: DatasetRestoreStepInput): Promise<RestoreReport> {
  const { zfs, clones, there, plan } = await prepare(tools, input);
  if (input.digest !== plan.digest)
    throw new HoldfastError(
      'HF_NOT_APPROVED',
      `What would be cloned to ${plan.target} is no longer what was approved. Start it again and look at the new plan`,
    );
  for (const [at, { from, snapshot, to, type }] of clones.entries()) {
    tools.progress({ phase: 'cloning', filesDone: at, filesTotal: clones.length });
    if (there.has(to)) continue;
    const root = at === 0 ? ['-o', `${ownProperties.run}=${input.run}`] : [];
    const unmounted = at === 0 && type === 'filesystem' ? ['-o', 'mountpoint=none'] : [];
    const words = ['clone', ...root, ...unmounted, `${from}@${snapshot}`, to];
    tools.log(`zfs ${words.join(' ')}`);
    const result = await zfs.host.run(zfsCommand(zfs.zfs, words), { signal: zfs.signal });
    mustSucceed(result, `clone ${from}@${snapshot}`, zfs.host.name);
  }
  const now = await listTrees(zfs, { roots: [input.target], types: ['filesystem', 'volume'] });
  const missing = clones.find(({ from, snapshot, to }) => now.get(to)?.origin !== `${from}@${snapshot}`);
  if (missing)
    throw new HoldfastError(
      'HF_COPY_NOT_PROVED',
      `${missing.to} is not a clone of ${missing.from}@${missing.snapshot}`.slice(0, 300),
    );
  const { snapshot, restorePoint, target } = plan;
  const verified = [`${clones.length} datasets are clones of just these snapshots`];
  return {
    snapshot,
    restorePoint,
    target,
    files: clones.length,
    bytes: 0,
    verified,
    notVerified: [],
    warnings: [],
  };
}
