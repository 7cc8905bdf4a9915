import type { Operation, OperationKind } from '../config/lookup.js';
import { isAppendOnly, storesOf } from '../config/lookup.js';
import type { Config, JobConfig, ResticBackupJob } from '../config/schema.js';
import { snapraidLines, snapraidSummary } from './snapraid-words.js';
import { clipBytes, code, listWords, promise, publicAddress } from './words.js';
import { zfsLines, zfsSummary } from './zfs-words.js';

/** What the Web UI shows of a run before it has said anything itself. No secret: only addresses without user and password. */

const operationWords: Record<OperationKind, string> = {
  backup: 'backup',
  snapshot: 'snapshots',
  scrub: 'scrub',
  replicate: 'replication',
  sync: 'maintenance',
  prune: 'retention',
  check: 'check',
};

const summaryBytes = 200;
/** The server allows 20 KB. */
const detailsBytes = 16 * 1024;

/** "restic backup of photos to b2-photos": the line in the lists of the Web UI. */
export function summaryOf(config: Config, operation: Operation, job: JobConfig): string {
  if (job.kind === 'snapraid-maintenance') return clipBytes(snapraidSummary(operation, job), summaryBytes);
  if (job.kind !== 'restic-backup') return clipBytes(zfsSummary(operation, job), summaryBytes);
  const stores = storesOf(job);
  const what = operationWords[operation.operation];
  const few = `restic ${what} of ${job.resources.join(', ')} to ${stores.join(', ')}`;
  const many = `restic ${what} of ${counted(job.resources, 'resource')} to ${counted(stores, 'store')}`;
  const named = operation.operation === 'prune' ? stores.map((name) => prunedWords(config, name)) : stores;
  const said = operation.operation === 'backup' ? few : `restic ${what} of ${named.join(', ')}`;
  if (Buffer.byteLength(said) <= summaryBytes) return said;
  return operation.operation === 'backup' ? many : `restic ${what} of ${counted(stores, 'store')}`;
}

const prunedWords = (config: Config, name: string): string =>
  isAppendOnly(config, name) ? `${name} (append-only: nothing is removed)` : name;

const counted = (names: readonly string[], word: string): string =>
  `${names.length} ${word}${names.length === 1 ? '' : 's'}`;

/** What is done to which data, in Markdown. */
export function detailsOf(config: Config, operation: Operation, job: JobConfig): string {
  const { tool, lines } = toolLines(config, operation, job);
  const title = `**${operation.name}**: ${operationWords[operation.operation]} with ${tool}`;
  return clipBytes([title, '', ...lines.map((line) => `- ${line}`)].join('\n'), detailsBytes);
}

function toolLines(config: Config, operation: Operation, job: JobConfig): { tool: string; lines: string[] } {
  if (job.kind === 'restic-backup') return { tool: 'restic', lines: resticLines(config, operation, job) };
  if (job.kind === 'snapraid-maintenance')
    return { tool: 'SnapRAID', lines: snapraidLines(config, operation, job) };
  return { tool: 'ZFS', lines: zfsLines(config, operation, job) };
}

function resticLines(config: Config, { operation }: Operation, job: ResticBackupJob): string[] {
  const stores = storesOf(job).map((name) => storeWords(config, name));
  if (operation === 'prune') return [...pruneLines(job, stores), ...appendOnlyLines(config, job)];
  return operation === 'check' ? checkLines(job, stores) : backupLines(config, job, stores);
}

function storeWords(config: Config, name: string): string {
  const store = config.stores[name];
  return store?.restic ? `${name} (${code(publicAddress(store.restic.repository))})` : name;
}

function resourceWords(config: Config, name: string): string {
  const resource = config.resources[name];
  return resource ? `${name} (${code(`${resource.host}:${resource.directory}`)})` : name;
}

function backupLines(config: Config, job: ResticBackupJob, stores: string[]): string[] {
  const from = listWords(
    job.resources.map((name) => resourceWords(config, name)),
    20,
  );
  const leavesOut = job.exclude.length > 0 ? [`Leaves out: ${listWords(job.exclude.map(code), 20)}`] : [];
  return [
    `From: ${from}`,
    `To: ${listWords(stores, 10)}`,
    ...leavesOut,
    `Keeps: ${keepWords(job)}`,
    ...appendOnlyLines(config, job),
    promise('the newest copy is never older than', job.objective.rpo),
  ];
}

function pruneLines(job: ResticBackupJob, stores: string[]): string[] {
  return [
    `In: ${listWords(stores, 10)}`,
    `Keeps: ${keepWords(job)}`,
    `Leaves at most ${job.prune?.maxUnused ?? '5%'} of the space unused`,
    promise('retention has run within the last', job.objective.prune),
  ];
}

/** What the policy says is not what happens there. */
function appendOnlyLines(config: Config, job: ResticBackupJob): string[] {
  const names = storesOf(job).filter((name) => isAppendOnly(config, name));
  return names.length > 0 ? [`Removes nothing from ${listWords(names, 10)}: append-only`] : [];
}

function checkLines(job: ResticBackupJob, stores: string[]): string[] {
  const parts = job.check?.parts;
  const reads =
    parts === undefined
      ? 'Reads the structure only, no data'
      : `Reads one part of ${parts} of the data each time`;
  return [
    `In: ${listWords(stores, 10)}`,
    reads,
    promise('the newest clean check is never older than', job.objective.check),
  ];
}

const keepOrder = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

function keepWords(job: ResticBackupJob): string {
  const keep = job.keep;
  if (!keep) return 'everything';
  return keepOrder
    .filter((period) => keep[period] !== undefined)
    .map((period) => `${keep[period]} ${period}`)
    .join(', ');
}
