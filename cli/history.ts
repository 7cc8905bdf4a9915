import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { dateOf, hostOfQueue } from './look.js';
import type { PendingStep } from './snapshot.js';

type HistoryEvent = NonNullable<History['events']>[number];

/** One step of a run as its history tells it. */
export interface PastStep {
  /** Temporal's id of the activity within the run. */
  id: string;
  activity: string;
  /** What the Web UI shows for it; the activity's name when there is none. */
  summary: string;
  host?: string;
  state: 'waiting' | 'running' | 'done' | 'failed' | 'timed out' | 'cancelled';
  attempts: number;
  scheduledAt?: Date;
  endedAt?: Date;
  failure?: string;
}

/** The steps in the order in which the workflow asked for them. */
export function stepsOf(history: History): PastStep[] {
  const steps = new Map<string, PastStep>();
  for (const event of history.events ?? []) readEvent(steps, event);
  return [...steps.values()];
}

/** Temporal writes "started" into the history only when a step has ended: what goes on now is told by the pending ones. */
export function withPending(steps: readonly PastStep[], pending: readonly PendingStep[]): PastStep[] {
  return steps.map((step) => {
    const now = pending.find(({ id }) => id === step.id);
    if (!now || step.endedAt) return step;
    const failure = now.failure?.message;
    const state = now.state === 'started' || now.state === 'stopping' ? 'running' : 'waiting';
    return { ...step, state, attempts: now.attempt, ...(failure !== undefined && { failure }) };
  });
}

function readEvent(steps: Map<string, PastStep>, event: HistoryEvent): void {
  const scheduled = event.activityTaskScheduledEventAttributes;
  if (scheduled) {
    const activity = scheduled.activityType?.name ?? '?';
    const host = hostOfQueue(scheduled.taskQueue?.name ?? '');
    steps.set(String(event.eventId), {
      id: scheduled.activityId ?? '',
      activity,
      summary: textIn(event.userMetadata?.summary) ?? activity,
      ...(host && { host }),
      state: 'waiting',
      attempts: 1,
      scheduledAt: dateOf(event.eventTime),
    });
    return;
  }
  const change = changeIn(event);
  const step = change && steps.get(String(change.scheduledEventId));
  if (step) Object.assign(step, change.facts);
}

/** What an event says about the step that it belongs to. */
function changeIn(event: HistoryEvent): { scheduledEventId: unknown; facts: Partial<PastStep> } | undefined {
  const endedAt = dateOf(event.eventTime);
  const started = event.activityTaskStartedEventAttributes;
  if (started)
    return {
      scheduledEventId: started.scheduledEventId,
      facts: { state: 'running', attempts: started.attempt ?? 1 },
    };
  const done = event.activityTaskCompletedEventAttributes;
  if (done) return { scheduledEventId: done.scheduledEventId, facts: { state: 'done', endedAt } };
  const failed = event.activityTaskFailedEventAttributes;
  if (failed)
    return {
      scheduledEventId: failed.scheduledEventId,
      facts: { state: 'failed', endedAt, failure: failed.failure?.message ?? '' },
    };
  const late = event.activityTaskTimedOutEventAttributes;
  if (late)
    return {
      scheduledEventId: late.scheduledEventId,
      facts: {
        state: 'timed out',
        endedAt,
        failure: late.failure?.cause?.message || late.failure?.message || '',
      },
    };
  const cancelled = event.activityTaskCanceledEventAttributes ?? undefined;
  return (
    cancelled && { scheduledEventId: cancelled.scheduledEventId, facts: { state: 'cancelled', endedAt } }
  );
}

function textIn(payload: Payload | null | undefined): string | undefined {
  const text = valueIn(payload);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** What a payload holds; undefined when there is none, or one that is not ours to read. */
export function valueIn(payload: Payload | null | undefined): unknown {
  if (!payload) return undefined;
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch {
    return undefined;
  }
}
