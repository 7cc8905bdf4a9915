import { HoldfastError } from '../contracts/errors.js';
import { operationName } from '../contracts/names.js';
import { cronIntervals, parseCron } from './cron.js';
import { unknownName } from './mistakes.js';
import type {
  ChannelConfig,
  Config,
  JobConfig,
  ResourceConfig,
  ResticBackupJob,
  ResticStore,
  SnapraidJob,
  ZfsStore,
} from './schema.js';
import { timingDefaults } from './schema-timing.js';

/** Questions to a configuration that is known to be right. Pure: nothing is read here. */

export type OperationKind = 'backup' | 'snapshot' | 'replicate' | 'sync' | 'scrub' | 'prune' | 'check';

export interface OperationSchedule {
  cron: string;
  timezone: string;
  jitterMs: number;
  catchupMs: number;
  overlap: 'skip' | 'buffer-one';
}

/** What a job does on a schedule of its own. */
export interface Operation {
  job: string;
  operation: OperationKind;
  /** The one that goes by the job's name alone. */
  main: boolean;
  /** `photos` or `photos.check`: what workflow and schedule ids are made of. */
  name: string;
  /** Absent: only by hand. */
  schedule?: OperationSchedule;
}

/** undefined where the file has none of that name. A name may be "constructor": only what the file holds counts. */
export const entryIn = <T>(entries: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(entries, name) ? entries[name] : undefined;

function entryOf<T>(kind: string, entries: Record<string, T>, name: string): T {
  const entry = entryIn(entries, name);
  if (entry !== undefined) return entry;
  const message = `In this host's holdfast.yaml ${unknownName(kind, name, Object.keys(entries))}`;
  throw new HoldfastError('HF_NOT_IN_CONFIG', message, { kind, name });
}

/** Throws HF_NOT_IN_CONFIG with the nearest name, as all look-ups here. */
export const jobOf = (config: Config, name: string): JobConfig => entryOf('job', config.jobs, name);

/** What is protected, by its name. */
export const resourceOf = (config: Config, name: string): ResourceConfig =>
  entryOf('resource', config.resources, name);

/** The repository behind a store's name. */
export function storeOf(config: Config, name: string): ResticStore {
  const { restic } = entryOf('store', config.stores, name);
  if (restic) return restic;
  throw new HoldfastError('HF_NOT_IN_CONFIG', `The store "${name}" is no restic repository`);
}

/** The place for replicas behind a store's name. */
export function replicaStoreOf(config: Config, name: string): ZfsStore {
  const { zfs } = entryOf('store', config.stores, name);
  if (zfs) return zfs;
  throw new HoldfastError(
    'HF_NOT_IN_CONFIG',
    `The store "${name}" is no place for replicas: it has no "zfs"`,
  );
}

/** Where a store leads to: another place under the same name is another store. */
export function placeOfStore(config: Config, name: string): string {
  const { restic, zfs } = entryOf('store', config.stores, name);
  return restic?.repository ?? `${zfs?.host}:${zfs?.dataset}`;
}

/** The machine of ours that a store lies on; undefined where it is somebody's service or a repository. */
export const replicaHostOf = (config: Config, store: string): string | undefined =>
  Object.hasOwn(config.stores, store) ? config.stores[store]?.zfs?.host : undefined;

/** Whether the store deletes nothing, on purpose. */
export const isAppendOnly = (config: Config, store: string): boolean =>
  Object.hasOwn(config.stores, store) && config.stores[store]?.restic?.appendOnly === true;

/** On whose queues the work is done: always the host's own, also where another host's worker asks them because it drives it over ssh. */
export function workerHostOf(config: Config, host: string): string {
  entryOf('host', config.hosts, host);
  return host;
}

/** The hosts without a worker of their own that this one's worker drives over ssh. */
export const drivenBy = ({ hosts }: Pick<Config, 'hosts'>, driver: string): string[] =>
  Object.keys(hosts).filter((name) => hosts[name]?.ssh?.via === driver);

/** A way to people by its name. */
export const channelOf = (config: Config, name: string): ChannelConfig =>
  entryOf('notification channel', config.notifications ?? {}, name);

/** The hosts with a worker of their own. */
export const workerHosts = ({ hosts }: Pick<Config, 'hosts'>): string[] =>
  Object.keys(hosts).filter((name) => hosts[name]?.ssh?.via === undefined);

/** Whose worker sends through a channel; undefined where nobody says so, and several could. */
export function senderOf(config: Config, { host }: Pick<ChannelConfig, 'host'>): string | undefined {
  const [only, ...more] = workerHosts(config);
  return host ?? (more.length === 0 ? only : undefined);
}

/** A resource that is a folder. */
export type FolderResource = ResourceConfig & { directory: string };

export const isFolder = (resource: ResourceConfig | undefined): resource is FolderResource =>
  resource?.directory !== undefined;

/** For what reads files: a dataset or a pool by this name is refused. */
export function folderOf(config: Config, name: string): FolderResource {
  const resource = resourceOf(config, name);
  if (isFolder(resource)) return resource;
  throw new HoldfastError('HF_NOT_IN_CONFIG', `The resource "${name}" is no folder: it has no "directory"`);
}

/** In the order in which they are tried. Snapshots and parity stay where they are: such a job has none. */
export function storesOf(job: JobConfig): string[] {
  if (!('store' in job || 'stores' in job)) return [];
  return job.stores ?? (job.store === undefined ? [] : [job.store]);
}

/** Of each kind of job; the main one first. */
const operationsOfKind = {
  'restic-backup': ['backup', 'prune', 'check'],
  'zfs-snapshot': ['snapshot', 'prune'],
  'zfs-scrub': ['scrub'],
  'snapraid-maintenance': ['sync', 'scrub'],
  'zfs-replication': ['replicate', 'prune'],
} as const satisfies Record<JobConfig['kind'], readonly [OperationKind, ...OperationKind[]]>;

/** The operation that goes by the job's name alone. */
export const mainOperation = (job: Pick<JobConfig, 'kind'>): OperationKind => operationsOfKind[job.kind][0];

type OwnTiming = NonNullable<ResticBackupJob['prune'] | ResticBackupJob['check']>;

/** What an operation besides the main one says about itself; undefined when the job does not have it. */
function ownTiming(job: JobConfig, operation: OperationKind): Partial<OwnTiming> | undefined {
  if (job.kind === 'zfs-snapshot' || job.kind === 'zfs-replication') return job.keep && {};
  if (job.kind === 'snapraid-maintenance') return job.scrub;
  if (job.kind !== 'restic-backup') return undefined;
  return operation === 'prune' || operation === 'check' ? job[operation] : undefined;
}

function inherited(job: JobConfig, cron: string, own: Partial<OwnTiming>): OperationSchedule {
  const above = job.schedule ?? timingDefaults;
  return {
    cron,
    timezone: own.timezone ?? above.timezone,
    jitterMs: own.jitter ?? above.jitter,
    catchupMs: own.catchup ?? above.catchup,
    overlap: own.overlap ?? above.overlap,
  };
}

function scheduleOf(job: JobConfig, operation: OperationKind): OperationSchedule | undefined {
  const own = operation === mainOperation(job) ? job.schedule : ownTiming(job, operation);
  return own?.cron === undefined ? undefined : inherited(job, own.cron, own);
}

/** What a run of the main operation of a SnapRAID job does, in this order. */
export const snapraidSteps = ({ steps, scrub }: SnapraidJob): NonNullable<SnapraidJob['steps']> =>
  steps ?? (scrub.cron === undefined ? ['touch', 'sync', 'scrub', 'smart'] : ['touch', 'sync', 'smart']);

const dayMs = 86_400_000;

/** How long it is between two scrubs of an array, as a rule. */
export function scrubIntervalMs(job: SnapraidJob): number {
  const cron = job.scrub.cron ?? job.schedule?.cron;
  const { meanMs } = cron === undefined ? { meanMs: dayMs } : cronIntervals(parseCron(cron));
  return Number.isFinite(meanMs) ? meanMs : dayMs;
}

/** The operations that a job declares, the main one first; the others are there only when the job says so. */
export function operationsOf(config: Config, jobName: string): Operation[] {
  const job = jobOf(config, jobName);
  const main = mainOperation(job);
  const kinds: readonly OperationKind[] = operationsOfKind[job.kind];
  const declared = kinds.filter((operation) => operation === main || ownTiming(job, operation) !== undefined);
  return declared.map((operation) => {
    const schedule = scheduleOf(job, operation);
    return {
      job: jobName,
      operation,
      main: operation === main,
      name: operationName(jobName, operation, main),
      ...(schedule && { schedule }),
    };
  });
}
