import { storesOf } from '../config/lookup.js';
import type { Config, JobConfig } from '../config/schema.js';
import { parseIdMap } from '../contracts/id-map.js';
import type { RestoreInput } from '../contracts/jobs.js';
import type { DatasetRestoreInput } from '../contracts/zfs-restore.js';
import { limitsOf } from '../schedules/compile.js';
import { notifyOf } from '../schedules/notify-routes.js';
import { findJob, workerOfResource } from './jobs.js';
import { datasetRestoreInput } from './restore-datasets-input.js';
import {
  copyId,
  moment,
  oneOf,
  ownPlace,
  placeOf,
  type RestoreWords,
  relativePath,
  runOf,
  usage,
} from './restore-words.js';

/** From the words of the command line to the workflow's input, or to what is wrong with them. Pure. */
export function restoreInput(config: Config, words: RestoreWords): RestoreInput | DatasetRestoreInput {
  const [jobName = '', ...resource] = words.what.split('/');
  const job = findJob(config, jobName);
  checkKind(jobName, job);
  const named = resource.length > 0 ? resource.join('/') : undefined;
  const wanted = (): string => oneOf('resource', jobName, job.resources, named);
  if (job.kind !== 'restic-backup') return datasetRestoreInput(config, jobName, job, wanted(), words);
  return resticRestoreInput(config, jobName, job, wanted, words);
}

function resticRestoreInput(
  config: Config,
  jobName: string,
  job: JobConfig,
  resource: () => string,
  words: RestoreWords,
): RestoreInput {
  checkTogether(words);
  if (words.clone) throw usage('--clone is for snapshots and replicas of ZFS');
  const wanted = resource();
  const { host, target } =
    words.inPlace || words.undo !== undefined ? ownPlace(config, wanted) : placeOf(config, words.to);
  parseIdMap(words.mapIds);
  if (words.copy !== undefined && words.at !== undefined)
    throw usage('--copy and --at exclude each other: one names a copy, the other a moment');
  return {
    job: jobName,
    resource: wanted,
    store: oneOf('store', jobName, storesOf(job), words.store ?? (words.undo && storesOf(job)[0])),
    host,
    target,
    ...sourceElsewhere(config, wanted, host),
    paths: words.paths.map(relativePath),
    ...(words.copy !== undefined && { copy: copyId(words.copy) }),
    ...(words.at !== undefined && { at: moment(words.at) }),
    ...(words.first.length > 0 && { first: words.first.map(relativePath) }),
    ...(words.mapIds.length > 0 && { mapIds: [...words.mapIds] }),
    ...(words.compareAttributes && { compareAttributes: true }),
    ...(words.approved && { approved: true }),
    ...(words.inPlace && { inPlace: true }),
    ...(words.undo !== undefined && { undo: runOf(jobName, words.undo) }),
    ...notifyOf(config, jobName),
    limits: limitsOf(config, job),
  };
}

/** A restore to another host asks the one that backs up what it knows of the source. */
function sourceElsewhere(config: Config, resource: string, host: string): Pick<RestoreInput, 'sourceHost'> {
  const sourceHost = workerOfResource(config, resource);
  return sourceHost === host ? {} : { sourceHost };
}

function checkKind(name: string, { kind }: JobConfig): void {
  if (kind === 'zfs-scrub') throw usage(`The job "${name}" (${kind}) keeps nothing that could be restored`);
}

/** In place means the whole of it, and a way back takes nothing else. */
function checkTogether({ inPlace, undo, to, paths, first, copy, at, mapIds }: RestoreWords): void {
  if (first.length > 0 && (paths.length > 0 || inPlace || undo !== undefined))
    throw usage('--first goes with a whole restore to another place: not with --path, --in-place or --undo');
  if (
    undo !== undefined &&
    ((inPlace || to !== undefined || paths.length > 0 || mapIds.length > 0 || copy) ?? at)
  )
    throw usage('--undo takes nothing else: it brings back what the restore of that run moved aside');
  if (inPlace && to !== undefined) throw usage('--in-place and --to exclude each other');
  if (inPlace && paths.length > 0)
    throw usage(
      '--in-place restores a whole resource; with --path restore beside (--to) and put the files in place',
    );
}
