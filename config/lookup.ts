import { HoldfastError } from '../contracts/errors.js';
import { operationName } from '../contracts/names.js';
import { unknownName } from './mistakes.js';
import type { Config, JobConfig, ResourceConfig, ResticStore } from './schema.js';
import { timingDefaults } from './schema-jobs.js';

/** Questions to a configuration that is known to be right. Pure: nothing is read here. */

export type OperationKind = 'backup' | 'prune' | 'check';

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

/** A name may be "constructor": only what the file holds counts. */
function entryOf<T>(kind: string, entries: Record<string, T>, name: string): T {
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
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
export const storeOf = (config: Config, name: string): ResticStore =>
  entryOf('store', config.stores, name).restic;

/** The host whose worker does the work: a host without a worker of its own names it. */
export const workerHostOf = (config: Config, host: string): string =>
  entryOf('host', config.hosts, host).ssh?.via ?? host;

/** In the order in which they are tried. */
export const storesOf = (job: JobConfig): string[] =>
  job.stores ?? (job.store === undefined ? [] : [job.store]);

/** Whether the store deletes nothing, on purpose. */
export const isAppendOnly = (config: Config, store: string): boolean =>
  Object.hasOwn(config.stores, store) && config.stores[store]?.restic.appendOnly === true;

type OwnTiming = NonNullable<JobConfig['prune'] | JobConfig['check']>;

function inherited(job: JobConfig, own: OwnTiming): OperationSchedule {
  const above = job.schedule ?? timingDefaults;
  return {
    cron: own.cron,
    timezone: own.timezone ?? above.timezone,
    jitterMs: own.jitter ?? above.jitter,
    catchupMs: own.catchup ?? above.catchup,
    overlap: own.overlap ?? above.overlap,
  };
}

function ownSchedule(job: JobConfig, operation: OperationKind): OperationSchedule | undefined {
  if (operation !== 'backup') {
    const own = job[operation];
    return own && inherited(job, own);
  }
  if (!job.schedule) return undefined;
  const { cron, timezone, jitter, catchup, overlap } = job.schedule;
  return { cron, timezone, jitterMs: jitter, catchupMs: catchup, overlap };
}

/** The operations that a job declares, the main one first; prune and check are there only when the job says so. */
export function operationsOf(config: Config, jobName: string): Operation[] {
  const job = jobOf(config, jobName);
  const declared = (['backup', 'prune', 'check'] as const).filter(
    (operation) => operation === 'backup' || job[operation] !== undefined,
  );
  return declared.map((operation) => {
    const schedule = ownSchedule(job, operation);
    return {
      job: jobName,
      operation,
      main: operation === 'backup',
      name: operationName(jobName, operation, 'backup'),
      ...(schedule && { schedule }),
    };
  });
}
