import type { Config } from '../config/schema.js';
import type { InitialiseStoreInput } from '../contracts/by-hand.js';
import type { RestoreInput } from '../contracts/jobs.js';
import { operationName, workflowQueue, workflowTypes } from '../contracts/names.js';
import type { DatasetRestoreInput } from '../contracts/zfs-restore.js';
import type { CompiledAction } from '../schedules/compile-action.js';
import type { Temporal } from './context.js';
import { alreadyRunning, startRun } from './start.js';
import { runningRun } from './visibility.js';

/** Runs that no schedule ever starts. */

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A person waits for it: an outage is not sat out for half a day. */
export async function startInitialiseStore(
  temporal: Temporal,
  config: Config,
  store: string,
  host: string,
  now: Date,
): Promise<string> {
  const limits = {
    deadHostAfterMs: config.temporal.deadHostAfter,
    retryForMs: hourMs / 4,
    giveUpAfterMs: hourMs,
  };
  const input: InitialiseStoreInput = { store, host, limits };
  return startRun(
    temporal,
    {
      workflowType: workflowTypes.initialiseStore,
      name: `${store}.init`,
      args: [input],
      taskQueue: workflowQueue,
      searchAttributes: { HfOperation: 'init', HfHost: host, HfTool: 'restic' },
      staticSummary: `create the repository of store ${store}`,
      executionTimeoutMs: dayMs,
    },
    now,
    { exclusive: false },
  );
}

/** Two of one procedure would plan against each other: the second is refused while the first runs. */
export async function startAction(
  temporal: Temporal,
  compiled: CompiledAction,
  job: string,
  now: Date,
): Promise<string> {
  const other = await runningRun(temporal, job, compiled.args[0].action);
  if (other) throw alreadyRunning(other);
  return startRun(temporal, compiled, now, { exclusive: true });
}

/** Of snapshots and replicas; see startRestore. */
export const startDatasetRestore = (
  temporal: Temporal,
  input: DatasetRestoreInput,
  now: Date,
): Promise<string> =>
  startRun(
    temporal,
    {
      workflowType: workflowTypes.restoreDatasets,
      name: operationName(input.job, 'restore', ''),
      args: [input],
      taskQueue: workflowQueue,
      searchAttributes: { HfJob: input.job, HfOperation: 'restore', HfHost: input.host, HfTool: 'zfs' },
      staticSummary: `restore ${input.resource} ${input.store ? `from ${input.store} ` : ''}on host ${input.host}`,
      executionTimeoutMs: input.limits.giveUpAfterMs + dayMs,
    },
    now,
    { exclusive: false },
  );

/** A restore is a run of its job like any other; its RUN says so: JOB.restore-TIME. */
export async function startRestore(temporal: Temporal, input: RestoreInput, now: Date): Promise<string> {
  return startRun(
    temporal,
    {
      workflowType: workflowTypes.restoreRestic,
      name: operationName(input.job, 'restore', 'backup'),
      args: [input],
      taskQueue: workflowQueue,
      searchAttributes: { HfJob: input.job, HfOperation: 'restore', HfHost: input.host, HfTool: 'restic' },
      staticSummary: `restore ${input.resource} from ${input.store} to host ${input.host}`,
      executionTimeoutMs: input.limits.giveUpAfterMs + dayMs,
    },
    now,
    { exclusive: false },
  );
}
