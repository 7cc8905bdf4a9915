import { storesOf } from '../config/lookup.js';
import type { Config, JobConfig } from '../config/schema.js';
import { datasetForm } from '../contracts/names.js';
import type { DatasetRestoreHow, DatasetRestoreInput } from '../contracts/zfs-restore.js';
import { limitsOf } from '../schedules/compile.js';
import { notifyOf } from '../schedules/notify-routes.js';
import { findHost, shown } from './jobs.js';
import {
  placeOf as folderOf,
  moment,
  oneOf,
  ownPlace,
  type RestoreWords,
  relativePath,
  runOf,
  usage,
} from './restore-words.js';

/** From the words of the command line to a restore of snapshots or replicas. Pure. */
export function datasetRestoreInput(
  config: Config,
  jobName: string,
  job: JobConfig,
  resource: string,
  words: RestoreWords,
): DatasetRestoreInput {
  refuseForeignWords(words);
  const stores = storesOf(job);
  const store = stores.length === 0 ? undefined : oneOf('store', jobName, stores, words.store);
  const { host, target, how } = placeOf(config, { resource, store }, words);
  refuseTogether(how, words);
  return {
    job: jobName,
    resource,
    how,
    host,
    target,
    paths: words.paths.map(relativePath),
    snapshotJobs: snapshotJobsOf(config, resource),
    ...(store !== undefined && { store }),
    ...(words.copy !== undefined && { copy: words.copy }),
    ...(words.at !== undefined && { at: moment(words.at) }),
    ...(job.kind === 'zfs-replication' && { parallel: job.parallel }),
    ...(how === 'roll-back' && { replicatedTo: replicatedTo(config, resource) }),
    ...(words.undo !== undefined && { undo: runOf(jobName, words.undo) }),
    ...(words.approved && { approved: true }),
    ...notifyOf(config, jobName),
    limits: limitsOf(config, job),
  };
}

/** All that work on the same datasets by the same name. */
const snapshotJobsOf = (config: Config, resource: string): string[] =>
  Object.entries(config.jobs).flatMap(([name, job]) =>
    job.kind === 'zfs-snapshot' && job.resources.includes(resource) ? [name] : [],
  );

const replicatedTo = (config: Config, resource: string): string[] =>
  Object.values(config.jobs).flatMap((job) =>
    job.kind === 'zfs-replication' && job.resources.includes(resource) ? storesOf(job) : [],
  );

interface Place {
  host: string;
  target: string;
  how: DatasetRestoreHow;
}

/** What follows HOST: says what is meant: a path is a folder, anything else a dataset. */
function placeOf(
  config: Config,
  { resource, store }: { resource: string; store: string | undefined },
  { to, clone, inPlace, undo }: RestoreWords,
): Place {
  if (inPlace || undo !== undefined) {
    if (to !== undefined || clone) throw usage('--in-place and --undo take neither --to nor --clone');
    if (store !== undefined)
      throw usage('A replica is not restored in place: send it back with --to HOST:DATASET');
    return { ...ownPlace(config, resource), how: 'roll-back' };
  }
  if (to === undefined)
    throw usage(
      'Say where to: --to HOST:DIR for files, or --to HOST:DATASET for a whole replica, for example --to din:fast/kubernetes',
    );
  const [, host = '', target = ''] = /^([^:/]*):(.*)$/s.exec(to) ?? [];
  if (target.startsWith('/')) return { ...folderOf(config, to), how: 'files' };
  if (!host || !datasetForm.test(target))
    throw usage(`--to takes HOST:DIR with an absolute path, or HOST:DATASET, not "${shown(to)}"`);
  findHost(config, host);
  if (clone) return { host, target, how: 'clone' };
  if (store === undefined)
    throw usage(
      'Snapshots lie on their own pool already: with a dataset in --to give --clone, or take files to --to HOST:DIR',
    );
  return { host, target, how: 'send-back' };
}

function refuseForeignWords({ first, mapIds }: RestoreWords): void {
  if (first.length > 0) throw usage('--first is for copies in a repository');
  if (mapIds.length > 0) throw usage('--map-ids is for copies in a repository');
}

function refuseTogether(how: DatasetRestoreHow, { paths, copy, at, clone, undo }: RestoreWords): void {
  if (copy !== undefined && at !== undefined)
    throw usage('--copy and --at exclude each other: one names a snapshot, the other a moment');
  if (undo !== undefined && (copy !== undefined || at !== undefined))
    throw usage('--undo takes nothing else: it brings back what the restore of that run put aside');
  if (how === 'roll-back' && paths.length > 0)
    throw usage(
      '--in-place rolls the whole resource back; with --path take files or a --clone beside (--to)',
    );
  if (clone && how !== 'clone') throw usage('--clone takes --to HOST:DATASET: the name of the new dataset');
  if (clone && paths.length > 1)
    throw usage('--clone takes one --path: the dataset below the resource that is meant');
  if (how === 'send-back' && (paths.length > 0 || copy !== undefined || at !== undefined))
    throw usage('A replica goes back whole, with all its snapshots: without --path, --copy and --at');
}
