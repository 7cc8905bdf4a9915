import type { Operation } from '../config/lookup.js';
import { replicaStoreOf, storesOf } from '../config/lookup.js';
import type { Config, ZfsReplicationJob, ZfsScrubJob, ZfsSnapshotJob } from '../config/schema.js';
import { code, durationWords, listWords, promise } from './words.js';

/** What the Web UI shows of the jobs that ZFS itself does. */

/** "snapshots of kubernetes, vms": the line in the lists of the Web UI. */
export function zfsSummary(
  { operation }: Operation,
  job: ZfsSnapshotJob | ZfsReplicationJob | ZfsScrubJob,
): string {
  if (job.kind === 'zfs-replication' && operation === 'prune')
    return `retention of the replicas of ${listWords(job.resources, 5)} in ${listWords(storesOf(job), 5)}`;
  if (job.kind === 'zfs-replication')
    return `replication of ${listWords(job.resources, 5)} to ${listWords(storesOf(job), 5)}`;
  const of = listWords(job.resources, 5);
  if (operation === 'scrub') return `scrub of ${of}`;
  return operation === 'prune' ? `retention of the snapshots of ${of}` : `snapshots of ${of}`;
}

/** What is done to which datasets, in lines of Markdown. */
export function zfsLines(
  config: Config,
  { operation }: Operation,
  job: ZfsSnapshotJob | ZfsReplicationJob | ZfsScrubJob,
): string[] {
  if (job.kind === 'zfs-replication') return replicationLines(config, job);
  if (job.kind === 'zfs-scrub') return scrubLines(config, job);
  const of = listWords(
    job.resources.map((name) => datasetWords(config, name)),
    20,
  );
  const hooks = [...job.before, ...job.after];
  const lines = [`Of: ${of}`, `Named: ${code(job.name)}`, `Keeps: ${keepWords(job)}`];
  if (operation === 'prune') return [...lines, 'Only snapshots that this job made are ever removed'];
  return [
    ...lines,
    ...(hooks.length > 0 ? [`Hooks: ${listWords(hooks, 10)}`] : []),
    promise('the newest snapshot is never older than', job.objective.rpo),
  ];
}

const encryptedWords = {
  raw: 'Encrypted datasets travel encrypted, without their key',
  required: 'Only encrypted datasets travel, encrypted and without their key',
  plain: 'Encrypted datasets are sent readable',
};

function replicationLines(config: Config, job: ZfsReplicationJob): string[] {
  const from = listWords(
    job.resources.map((name) => datasetWords(config, name)),
    20,
  );
  const to = storesOf(job).map((name) => {
    const { host, dataset } = replicaStoreOf(config, name);
    return `${name} (${code(`${host}:${dataset}`)})`;
  });
  const which = job.snapshots === 'ours' ? 'of our snapshot jobs' : 'of everybody';
  const how = job.catchUp === 'every' ? 'each of them' : 'straight to the newest';
  return [
    `From: ${from}`,
    `To: ${listWords(to, 10)}`,
    `Snapshots: those ${which}, ${how}`,
    encryptedWords[job.encrypted],
    `Keeps on the target: ${keepWords(job)}`,
    job.keep
      ? 'Nothing on the target is overwritten, and only what the job has brought there is ever removed; what was written there stops that dataset alone'
      : 'Nothing on the target is overwritten or destroyed; what was written there stops that dataset alone',
    promise('the oldest replica is never older than', job.objective.rpo),
  ];
}

function scrubLines(config: Config, { resources, window, objective }: ZfsScrubJob): string[] {
  const of = listWords(
    resources.map((name) => datasetWords(config, name)),
    20,
  );
  return [
    `Of: ${of}`,
    ...(window === undefined ? [] : [`Works from ${window.replace('-', ' to ')}, and is paused else`]),
    promise('the newest scrub without errors is never older than', objective.scrub),
  ];
}

function datasetWords(config: Config, name: string): string {
  const resource = config.resources[name];
  const place = resource?.dataset ?? resource?.pool;
  return place === undefined ? name : `${name} (${code(`${resource?.host}:${place}`)})`;
}

const periods = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

function keepWords({ keep }: ZfsSnapshotJob | ZfsReplicationJob): string {
  if (!keep) return 'everything';
  const counted = periods.flatMap((period) =>
    keep[period] === undefined ? [] : [`${keep[period]} ${period}`],
  );
  const young = keep.within === undefined ? [] : [`all of the last ${durationWords(keep.within)}`];
  return [...counted, ...young].join(', ');
}
