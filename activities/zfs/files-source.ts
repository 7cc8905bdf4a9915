import { jobOf, replicaStoreOf, resourceOf, storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import type { PutBack } from '../host/questions.js';
import { recordFormerState } from '../host/undo.js';
import { checkRunOfJob } from '../restic/job.js';
import { type FilesPlan, planFiles } from './files-plan.js';
import { holdSnapshots, releaseSnapshots } from './holds.js';
import { listTrees, type Zfs } from './listing.js';
import { checkMounts, mountSnapshots } from './mounts.js';
import { isParked } from './replicate-names.js';
import { selectDatasets } from './select.js';
import { holdTag } from './source.js';
import type { Dataset } from './types.js';
import { zfsOn } from './zfs-on.js';

/** The snapshots that files are restored from: chosen, held and mounted until the restore has ended, on whichever machine they lie. */

/** By it the journal of former states knows what to put back. */
export const filesKind = 'zfs-files';

export interface Origin {
  /** Of the machine, in holdfast.yaml. */
  name: string;
  zfs: Zfs;
  /** The dataset that the resource is called there. */
  root: string;
  /** Snapshots of this job are taken by themselves; absent for replicas, whose snapshots do not say whose they are. */
  job?: string;
  select(all: ReadonlyMap<string, Dataset>): Dataset[];
}

/** Whoever starts a workflow can only ask for what this host's own holdfast.yaml joins together. */
export function originOf(tools: Tools, input: DatasetRestoreStepInput): Origin {
  const { config } = tools;
  const { job, run, resource, store } = input;
  const found = jobOf(config, job);
  const { host: owner, dataset, recursive, include, exclude } = resourceOf(config, resource);
  if (!found.resources.includes(resource) || dataset === undefined)
    throw refused(`The job "${job}" has no dataset "${resource}"`);
  checkRunOfJob(run, job);
  if (store === undefined) {
    if (found.kind !== 'zfs-snapshot') throw refused(`The job "${job}" takes no snapshots`);
    const selection = { dataset, recursive, include, exclude };
    return {
      name: owner,
      zfs: zfsOn(tools, owner),
      root: dataset,
      job,
      select: (all) => selectDatasets(all, selection).datasets,
    };
  }
  if (found.kind !== 'zfs-replication' || !storesOf(found).includes(store))
    throw refused(`The job "${job}" has no replicas in "${store}"`);
  const place = replicaStoreOf(config, store);
  const root = `${place.dataset}/${resource}`;
  return {
    name: place.host,
    zfs: zfsOn(tools, place.host),
    root,
    select: (all) => [...all.values()].filter(({ name }) => !isParked(name)),
  };
}

const refused = (what: string): HoldfastError =>
  new HoldfastError(
    'HF_NOT_IN_CONFIG',
    `${what} in this host's holdfast.yaml; give every host the same file`,
  );

/** The run is in the name: two restores of one resource do not disturb each other. */
export const filesFolder = ({ stateFolder }: Host, run: string): string =>
  `${stateFolder}/reading/${run.replaceAll(':', '')}`;

const planFile = ({ driver }: Host, run: string): string => `${driver.stateFolder}/zfs/${run}.files.json`;

/** A retry finds what its predecessor has chosen, and goes on with that. */
export async function openFiles(tools: Tools, input: DatasetRestoreStepInput): Promise<FilesPlan> {
  const { host, signal } = tools;
  const { run, resource, paths, copy, at } = input;
  const origin = originOf(tools, input);
  tools.progress({ phase: 'choosing the snapshot' });
  let plan = await readFilesPlan(host, run);
  if (!plan) {
    const all = await listTrees(origin.zfs, { roots: [origin.root] });
    plan = planFiles(origin.select(all), { root: origin.root, paths, copy, at, job: origin.job });
    await host.driver.makeFolder(`${host.driver.stateFolder}/zfs`);
    // Before anything is held: a retry must not choose a newer snapshot and forget the hold on this one.
    await host.driver.writeFile(planFile(host, run), JSON.stringify(plan));
  }
  const former = { host: origin.name, root: origin.root, snapshot: plan.snapshot };
  await recordFormerState(host, run, `${filesKind}:${resource}`, former);
  const read = { datasets: datasetsOf(plan), snapshot: plan.snapshot };
  await holdSnapshots(origin.zfs, holdTag(run), read);
  await mountSnapshots(origin.zfs.host, filesFolder(origin.zfs.host, run), read, signal);
  tools.log(`${read.datasets.length} datasets are read from @${plan.snapshot} on ${origin.name}`);
  return plan;
}

export const datasetsOf = ({ pieces }: FilesPlan): string[] => [
  ...new Set(pieces.map(({ dataset }) => dataset)),
];

async function readFilesPlan({ driver }: Host, run: string): Promise<FilesPlan | undefined> {
  const file = planFile({ driver } as Host, run);
  return (await driver.exists(file)) ? (JSON.parse(await driver.readFile(file)) as FilesPlan) : undefined;
}

/** What this run reads, and proof that just that is mounted. */
export async function openedFiles(
  tools: Tools,
  input: DatasetRestoreStepInput,
): Promise<{ plan: FilesPlan; origin: Origin }> {
  const plan = await readFilesPlan(tools.host, input.run);
  if (!plan)
    throw new HoldfastError('HF_SOURCE_MISSING', `The snapshots were not made ready by the run ${input.run}`);
  const origin = originOf(tools, input);
  const { host } = origin.zfs;
  await checkMounts(host, filesFolder(host, input.run), {
    datasets: datasetsOf(plan),
    snapshot: plan.snapshot,
  });
  return { plan, origin };
}

/** Unmounts and lets go. Safe to do twice: what is not mounted and not held is left as it is. */
export const putBackFiles =
  (config: () => Config, machine: (name: string) => Host): PutBack =>
  async (host, _what, former, run) => {
    const name = String(former.host);
    const there = name === host.name ? host : machine(name);
    const { signal } = new AbortController();
    const folder = filesFolder(there, run);
    const names = { root: String(former.root), snapshot: String(former.snapshot) };
    await mountSnapshots(there, folder, { datasets: [], snapshot: names.snapshot }, signal);
    await there.run({ file: 'rmdir', args: ['--', folder] }, { signal });
    const { zfs = 'zfs', zpool = 'zpool' } = config().hosts[name]?.tools ?? {};
    await releaseSnapshots({ host: there, signal, zfs, zpool }, holdTag(run), names);
  };
