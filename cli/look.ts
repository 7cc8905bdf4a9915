import type { WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { Progress, RunReport } from '../contracts/jobs.js';
import { queryNames } from '../contracts/names.js';
import type { Temporal } from './context.js';
import type { PendingStep, Snapshot } from './snapshot.js';

type RawPending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];
type RawTime = { seconds?: unknown; nanos?: number | null } | null | undefined;

/** The states of PendingActivityState in Temporal's API, by number. */
const states: Record<number, PendingStep['state']> = {
  1: 'scheduled',
  2: 'started',
  3: 'stopping',
  4: 'paused',
  5: 'paused',
};
const workflowTaskScheduled = 1;
const queryDeadlineMs = 3000;
/** A worker asks for work at least once a minute; the server remembers who asked for five. */
const pollerFreshMs = 75_000;

/** Describes a run and asks its report; a run whose orchestrator is away has no report, which is no error. */
export async function lookAtRun(temporal: Temporal, run: string, now: Date): Promise<Snapshot> {
  const handle = temporal.client.workflow.getHandle(run);
  const description = await handle.describe();
  const running = description.status.name === 'RUNNING';
  const task = description.raw.pendingWorkflowTask;
  const waiting = running && task && Number(task.state) === workflowTaskScheduled;
  const report = waiting ? undefined : await reportOf(temporal, handle);
  const pending = (description.raw.pendingActivities ?? []).map(pendingStep);
  await Promise.all(pending.map((step) => askForWorker(temporal, step, now)));
  const since = waiting ? dateOf(task.scheduledTime) : undefined;
  return {
    at: now,
    status: description.status.name,
    pending,
    ...(report && { report }),
    ...(since && { noOrchestratorSince: since }),
  };
}

/** The run's own report; undefined when no orchestrator answers in time or the workflow has none. */
export async function reportOf(temporal: Temporal, handle: WorkflowHandle): Promise<RunReport | undefined> {
  try {
    const deadline = Date.now() + queryDeadlineMs;
    return await temporal.connection.withDeadline(deadline, () => handle.query<RunReport>(queryNames.report));
  } catch {
    return undefined;
  }
}

function pendingStep(raw: RawPending): PendingStep {
  const queue = raw.activityOptions?.taskQueue?.name ?? undefined;
  return {
    id: raw.activityId ?? '',
    activity: raw.activityType?.name ?? '?',
    state: raw.paused ? 'paused' : (states[Number(raw.state)] ?? 'started'),
    attempt: raw.attempt ?? 1,
    host: queue ? hostOfQueue(queue) : undefined,
    scheduledAt: dateOf(raw.scheduledTime),
    startedAt: dateOf(raw.lastStartedTime),
    progress: progressOf(raw.heartbeatDetails?.payloads),
    failure: raw.lastFailure ? failureOf(raw.lastFailure) : undefined,
    nextAttemptAt: dateOf(raw.nextAttemptScheduleTime),
  };
}

/** `host.nas.heavy` and `host.nas` -> nas. */
export const hostOfQueue = (queue: string): string | undefined => /^host\.([a-z0-9-]+)/.exec(queue)?.[1];

type RawFailure = NonNullable<RawPending['lastFailure']>;

/** The activity's own words, not the wrapping around them. */
function failureOf(failure: RawFailure): { code?: string; message: string } {
  const code = failure.applicationFailureInfo?.type || undefined;
  if (!code && failure.cause) return failureOf(failure.cause);
  if (failure.timeoutFailureInfo) return { message: 'the worker gave no sign any more' };
  return { ...(code && { code }), message: failure.message || 'no reason was given' };
}

/** A heartbeat of another version or of another activity is not drawn. */
function progressOf(payloads: Payload[] | null | undefined): Progress | undefined {
  const [payload] = payloads ?? [];
  if (!payload) return undefined;
  try {
    const value = defaultPayloadConverter.fromPayload(payload) as Partial<Progress> | null;
    return value?.v === 1 && typeof value.phase === 'string' ? (value as Progress) : undefined;
  } catch {
    return undefined;
  }
}

/** Only steps that lie in a queue are asked about: describing a queue costs a call. */
async function askForWorker(temporal: Temporal, step: PendingStep, now: Date): Promise<void> {
  if (step.state !== 'scheduled' || !step.host) return;
  step.hostHasWorker = await hasWorker(temporal, step.host, now);
}

/** Whether a worker of the host has asked for work lately. */
export async function hasWorker(temporal: Temporal, host: string, now: Date): Promise<boolean | undefined> {
  const { hostQueue } = await import('../contracts/names.js');
  const activityQueue = 2;
  try {
    const { pollers } = await temporal.client.workflowService.describeTaskQueue({
      namespace: temporal.namespace,
      taskQueue: { name: hostQueue(host) },
      taskQueueType: activityQueue,
    });
    return (pollers ?? []).some(
      (poller) => now.getTime() - (dateOf(poller.lastAccessTime)?.getTime() ?? 0) < pollerFreshMs,
    );
  } catch {
    return undefined;
  }
}

/** Temporal's seconds come as a Long, a number or a string. */
export function dateOf(time: RawTime): Date | undefined {
  const seconds = secondsOf(time?.seconds);
  return time && seconds > 0 ? new Date(seconds * 1000 + Math.floor((time.nanos ?? 0) / 1e6)) : undefined;
}

/** Number() of a Long goes through its text, which status would notice with thousands of times. */
const secondsOf = (seconds: unknown): number =>
  Number((seconds as { toNumber?: () => number } | undefined)?.toNumber?.() ?? seconds ?? 0);
