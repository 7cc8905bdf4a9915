import { type AwayFromJob, awayFromJob, awayWords } from '../config/away.js';
import type { Operation, OperationKind } from '../config/lookup.js';
import {
  jobOf,
  operationsOf,
  placeOfStore,
  replicaStoreOf,
  resourceOf,
  snapraidSteps,
  storesOf,
  workerHostOf,
} from '../config/lookup.js';
import type { Config, JobConfig, SnapraidJob, ZfsReplicationJob, ZfsSnapshotJob } from '../config/schema.js';
import { limitedPoolsOf } from '../config/streams.js';
import type { AwayHost } from '../contracts/away.js';
import { HoldfastError } from '../contracts/errors.js';
import type { HookTime } from '../contracts/hooks.js';
import type { JobInput, Limits, RunOptions, Source } from '../contracts/jobs.js';
import { scheduleId, workflowQueue, workflowTypes } from '../contracts/names.js';
import type { StreamLimits } from '../contracts/replication.js';
import type { SnapraidOptions } from '../contracts/snapraid.js';
import { calendarsOf } from './calendars.js';
import { coversOf } from './covers.js';
import { markOf } from './fingerprint.js';
import { detailsOf, summaryOf } from './job-words.js';
import { notifyOf } from './notify-routes.js';
import type { CompiledRun, DesiredSchedule } from './types.js';

/** From the configuration to what Temporal is asked for. Pure: the same file gives the same result on every machine. */

export const typeOfOperation: Record<JobConfig['kind'], Partial<Record<OperationKind, string>>> = {
  'restic-backup': {
    backup: workflowTypes.backupRestic,
    prune: workflowTypes.pruneRestic,
    check: workflowTypes.checkRestic,
  },
  'zfs-snapshot': {
    snapshot: workflowTypes.snapshotDatasets,
    prune: workflowTypes.pruneSnapshots,
  },
  'zfs-scrub': { scrub: workflowTypes.scrubPool },
  'snapraid-maintenance': {
    sync: workflowTypes.maintainSnapraid,
    scrub: workflowTypes.scrubSnapraid,
  },
  'zfs-replication': {
    replicate: workflowTypes.replicateDatasets,
    prune: workflowTypes.pruneReplicas,
  },
};

export const toolOf: Record<JobConfig['kind'], string> = {
  'restic-backup': 'restic',
  'zfs-snapshot': 'zfs',
  'zfs-scrub': 'zfs',
  'snapraid-maintenance': 'snapraid',
  'zfs-replication': 'zfs',
};

export const dayMs = 86_400_000;

/** One run of one operation, for `holdfast run` and for the schedules alike. */
export function compileRun(
  config: Config,
  jobName: string,
  operationName: string,
  options?: RunOptions,
): CompiledRun {
  const job = jobOf(config, jobName);
  const operations = operationsOf(config, jobName);
  const operation = operations.find((candidate) => candidate.operation === operationName);
  if (!operation) {
    throw new HoldfastError(
      'HF_RUN_NOT_FOUND',
      `Job ${jobName} has no operation "${operationName}"; it has: ${operations.map((each) => each.operation).join(', ')}`,
    );
  }
  return runOf(config, operation, job, options);
}

function runOf(config: Config, operation: Operation, job: JobConfig, options?: RunOptions): CompiledRun {
  const away = awayOf(config, operation, job);
  const input = { ...inputOf(config, operation, job, options), ...(away.length > 0 && { away }) };
  return {
    workflowType: typeOfOperation[job.kind][operation.operation] ?? '',
    name: operation.name,
    args: [input],
    taskQueue: workflowQueue,
    searchAttributes: {
      HfJob: operation.job,
      HfOperation: operation.operation,
      HfHost: input.sources[0]?.host,
      HfTool: toolOf[job.kind],
      HfCovers: coversWithout(config, operation, job, []),
    },
    memo: {},
    staticSummary: summaryOf(config, operation, job),
    staticDetails: detailsOf(config, operation, job),
    executionTimeoutMs: input.limits.giveUpAfterMs + dayMs,
  };
}

function coversWithout(
  config: Config,
  { operation }: Operation,
  job: JobConfig,
  away: readonly AwayFromJob[],
): string {
  const without = { resources: new Set(), stores: new Set() };
  for (const { resources, stores } of away) {
    for (const name of resources) without.resources.add(name);
    for (const name of stores) without.stores.add(name);
  }
  const resources = job.resources.filter((name) => !without.resources.has(name));
  const stores = storesOf(job).filter((name) => !without.stores.has(name));
  // All of either kind is away: with no store at all a covering of resources alone would be another thing.
  if (resources.length === 0 || (stores.length === 0 && storesOf(job).length > 0)) return '';
  const placed = (names: { resources: readonly string[]; stores: readonly string[] }) => ({
    resources: names.resources.map((name) => ({ name, place: placeOf(config, name) })),
    stores: names.stores.map((name) => ({ name, place: placeOfStore(config, name) })),
  });
  const whole = { resources: job.resources, stores: storesOf(job) };
  return coversOf(operation, placed({ resources, stores }), placed(whole));
}

/** They are asked where they are: what they are copies of is away. */
const replicasOf = (config: Config, job: JobConfig, resources: readonly string[]) =>
  resources.flatMap((resource) =>
    storesOf(job).map((store) => ({
      resource,
      store,
      host: workerHostOf(config, replicaStoreOf(config, store).host),
    })),
  );

/** They are asked where they are: whom they are copied to is away. */
const laggingOf = (config: Config, job: JobConfig, stores: readonly string[]) =>
  job.resources.flatMap((resource) =>
    stores.map((store) => ({
      resource,
      store,
      host: workerHostOf(config, resourceOf(config, resource).host),
    })),
  );

/** Whether the time is over is for the run to see: this stands in a schedule for as long as the file says so. */
const awayOf = (config: Config, operation: Operation, job: JobConfig): AwayHost[] =>
  awayFromJob(config, job).map((away, index, all) => ({
    ...(operation.operation === 'replicate' &&
      away.resources.length > 0 && { replicas: replicasOf(config, job, away.resources) }),
    ...(operation.operation === 'replicate' &&
      away.stores.length > 0 && { lagging: laggingOf(config, job, away.stores) }),
    host: away.host,
    untilMs: away.untilMs,
    words: awayWords(away),
    resources: away.resources,
    stores: away.stores,
    covers: coversWithout(config, operation, job, all.slice(index)),
  }));

function inputOf(config: Config, operation: Operation, job: JobConfig, options?: RunOptions): JobInput {
  const hooks = job.kind === 'zfs-snapshot' && operation.main ? hooksOf(job) : [];
  return {
    job: operation.job,
    operation: operation.operation,
    sources: job.resources.map((resource) => sourceOf(config, job, resource)),
    stores: storesOf(job),
    limits: limitsOf(config, job),
    ...(options && { options }),
    ...(operation.main && job.kind === 'restic-backup' && job.seeding && { firstUpload: 'aside' }),
    ...(hooks.length > 0 && { hooks }),
    ...(job.kind === 'zfs-replication' && streamLimits(config, job)),
    ...(job.kind === 'snapraid-maintenance' && { snapraid: snapraidOptions(job) }),
    ...notifyOf(config, operation.job),
  };
}

/** Pools without a limit are not named: such a run goes as it always went. */
export function streamLimits(config: Config, job: ZfsReplicationJob): StreamLimits {
  const limitedPools = limitedPoolsOf(config, job);
  return { parallel: job.parallel, ...(limitedPools.length > 0 && { limitedPools }) };
}

/** They hold for everything that is done for the job, by hand as well. */
export const limitsOf = (config: Config, job: JobConfig): Limits => ({
  deadHostAfterMs: config.temporal.deadHostAfter,
  retryForMs: job.retryFor,
  giveUpAfterMs: job.giveUpAfter,
});

/** Files of a dataset are read from snapshots of it. */
export function sourceOf(config: Config, job: JobConfig, resource: string): Source {
  const { host, dataset } = resourceOf(config, resource);
  const frozen = job.kind === 'restic-backup' && dataset !== undefined;
  return { resource, host: workerHostOf(config, host), ...(frozen && { frozen }) };
}

const hooksOf = (job: ZfsSnapshotJob): HookTime[] =>
  (['before', 'after'] as const).filter((when) => job[when].length > 0);

const snapraidOptions = (job: SnapraidJob): SnapraidOptions => ({
  steps: snapraidSteps(job),
  approveWithinMs: job.approveWithin,
  ...(job.spinDown && { spinDown: true }),
});

/** Where a resource leads to: another place under the same name, or the same place on another host, is another thing. */
function placeOf(config: Config, name: string): string {
  const { host, directory, dataset, pool, snapraid } = resourceOf(config, name);
  return `${host}:${directory ?? dataset ?? pool ?? snapraid?.config ?? ''}`;
}

/** Every schedule that must exist, by id. */
export function compileSchedules(config: Config): DesiredSchedule[] {
  return Object.keys(config.jobs)
    .flatMap((job) => operationsOf(config, job))
    .flatMap((operation) => scheduleOf(config, operation))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function scheduleOf(config: Config, operation: Operation): DesiredSchedule[] {
  const { schedule } = operation;
  if (!schedule) return [];
  const plain: DesiredSchedule = {
    id: scheduleId(operation.name),
    cron: schedule.cron,
    calendars: calendarsOf(schedule.cron),
    timezone: schedule.timezone,
    jitterMs: schedule.jitterMs,
    catchupMs: schedule.catchupMs,
    overlap: schedule.overlap,
    action: compileRun(config, operation.job, operation.operation),
    extras: [],
  };
  return [{ ...plain, action: { ...plain.action, memo: { holdfast: markOf(plain) } } }];
}
