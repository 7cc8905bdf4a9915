import type { Client, ScheduleDescription } from '@temporalio/client';
import { ScheduleNotFoundError } from '@temporalio/client';
import { schedulePrefix, workflowQueue, workflowTypes } from '../contracts/names.js';
import { decodeSpec } from './decode.js';
import { mapBounded, requestsAtOnce } from './pool.js';
import { asHoldfastError, statusOf } from './service-errors.js';
import type { ObservedSchedule, ScheduleSpec } from './types.js';

/**
 * All schedules of ours. A list is behind the truth for a moment, so those of `expectedIds` are asked for by name:
 * what was created a second ago is seen, what was deleted a second ago is not.
 */
export async function observeSchedules(
  client: Client,
  expectedIds: readonly string[] = [],
): Promise<ObservedSchedule[]> {
  try {
    const expected = new Set(expectedIds);
    const ids = new Set([...expectedIds, ...(await listIds(client))]);
    const found = await mapBounded([...ids].sort(), requestsAtOnce, (id) =>
      expected.has(id) ? describeSchedule(client, id) : describeIfOurs(client, id),
    );
    return found.flatMap((schedule) => schedule ?? []);
  } catch (error) {
    throw asHoldfastError(error, `look at the schedules of namespace ${client.options.namespace}`);
  }
}

/** One schedule as it is now; undefined when there is none. */
export async function describeSchedule(client: Client, id: string): Promise<ObservedSchedule | undefined> {
  try {
    return observedOf(await describeSoon(client, id));
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

const patienceMs = [1000, 2000];

/** Server 1.29 lets one answer in a hundred wait 5 s for a worker of its own that has gone; asked again it is there at once. */
async function describeSoon(client: Client, id: string): Promise<ScheduleDescription> {
  const handle = client.schedule.getHandle(id);
  for (const patience of patienceMs) {
    const impatience = AbortSignal.timeout(patience);
    try {
      return await client.withAbortSignal(impatience, () => handle.describe());
    } catch (error) {
      if (!impatience.aborted) throw error;
    }
  }
  return handle.describe();
}

/** The raw call, because the SDK's own decodes every schedule there is, and one foreign payload would stop us. */
export async function listIds(client: Client): Promise<string[]> {
  const ids: string[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.listSchedules({
      namespace: client.options.namespace,
      nextPageToken,
    });
    ids.push(...(page.schedules ?? []).flatMap(({ scheduleId }) => (scheduleId ? [scheduleId] : [])));
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken);
  return ids.filter((id) => id.startsWith(schedulePrefix));
}

async function describeIfOurs(client: Client, id: string): Promise<ObservedSchedule | undefined> {
  try {
    const schedule = await describeSchedule(client, id);
    return schedule && isOurs(schedule) ? schedule : undefined;
  } catch (error) {
    if (statusOf(error) !== undefined) throw error;
    return undefined; // holds what only somebody else's codec can read
  }
}

const ourTypes: readonly string[] = Object.values(workflowTypes);

/** The prefix alone may be chance, and what is ours may be deleted: it must also look like ours. */
const isOurs = (schedule: ObservedSchedule): boolean =>
  schedule.mark !== undefined ||
  (ourTypes.includes(schedule.action.workflowType) && schedule.action.taskQueue === workflowQueue);

function observedOf(description: ScheduleDescription): ObservedSchedule {
  const { info, state } = description;
  const spec: ScheduleSpec = decodeSpec(description);
  return {
    ...spec,
    mark: markIn(spec.action.memo),
    paused: state.paused,
    note: state.note ?? '',
    ...(state.remainingActions !== undefined && { remainingActions: state.remainingActions }),
    nextActionTimes: info.nextActionTimes.map((time) => time.toISOString()),
    recentActions: info.recentActions.map((taken) => ({
      run: taken.action.workflow.workflowId,
      scheduledAt: taken.scheduledAt.toISOString(),
      takenAt: taken.takenAt.toISOString(),
    })),
    runningRuns: info.runningActions.map((running) => running.workflow.workflowId),
    numActionsSkippedOverlap: info.numActionsSkippedOverlap,
    numActionsMissed: info.numActionsMissedCatchupWindow,
  };
}

function markIn(memo: Record<string, unknown>): ObservedSchedule['mark'] {
  const { specHash, formatVersion } = (memo.holdfast ?? {}) as Record<string, unknown>;
  return typeof specHash === 'string' && typeof formatVersion === 'number'
    ? { specHash, formatVersion }
    : undefined;
}
