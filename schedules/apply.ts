import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { HoldfastError } from '../contracts/errors.js';
import { differences } from './difference.js';
import { encodeSchedule } from './encode.js';
import { markOf } from './fingerprint.js';
import { describeSchedule } from './observe.js';
import type { ScheduleChange } from './plan.js';
import { mapBounded, requestsAtOnce } from './pool.js';
import { asHoldfastError } from './service-errors.js';
import type { DesiredSchedule } from './types.js';

/** What was done to one schedule. */
export interface AppliedSchedule {
  id: string;
  done: 'created' | 'updated' | 'deleted' | 'kept' | 'unchanged';
}

type Attempt = AppliedSchedule | { id: string; failed: HoldfastError };

/** Makes it so; every change is looked at again before it counts. Orphans go only with `prune`. */
export async function applySchedules(
  client: Client,
  changes: readonly ScheduleChange[],
  { prune }: { prune: boolean },
): Promise<AppliedSchedule[]> {
  const attempts = await mapBounded(changes, requestsAtOnce, (change) => attempt(client, change, prune));
  const failures = attempts.flatMap((each) => ('failed' in each ? [each] : []));
  const [first] = failures;
  if (first) {
    const rest = failures.length > 1 ? ` (and ${failures.length - 1} more of ${changes.length} failed)` : '';
    throw new HoldfastError(first.failed.code, `${first.failed.message}${rest}`, {
      failed: failures.map(({ id }) => id),
    });
  }
  return attempts.flatMap((each) => ('failed' in each ? [] : [each]));
}

/** One schedule that cannot be applied must not keep the others from it; a server that is away stops all. */
async function attempt(client: Client, change: ScheduleChange, prune: boolean): Promise<Attempt> {
  try {
    return { id: change.id, done: await applyOne(client, change, prune) };
  } catch (error) {
    const failed = asHoldfastError(error, `apply schedule ${change.id}`);
    if (failed.code === 'HF_TEMPORAL_UNREACHABLE') throw failed;
    return { id: change.id, failed };
  }
}

async function applyOne(
  client: Client,
  change: ScheduleChange,
  prune: boolean,
): Promise<AppliedSchedule['done']> {
  switch (change.kind) {
    case 'add':
      return create(client, change.desired);
    case 'change':
    case 'edited':
      return update(client, change.desired);
    case 'orphan':
      return prune ? remove(client, change.id) : 'kept';
    case 'same':
      return 'unchanged';
  }
}

async function create(client: Client, desired: DesiredSchedule): Promise<AppliedSchedule['done']> {
  try {
    await client.schedule.create({ scheduleId: desired.id, ...encodeSchedule(desired) });
  } catch (error) {
    // Another apply was faster: it may have had another file.
    if (error instanceof ScheduleAlreadyRunning) return update(client, desired);
    throw error;
  }
  await verify(client, desired);
  return 'created';
}

/** An update replaces everything, so the state, which is the operator's, is handed back as it was found. */
async function update(client: Client, desired: DesiredSchedule): Promise<AppliedSchedule['done']> {
  const handle = client.schedule.getHandle(desired.id);
  await handle.update(({ state }) => ({ ...encodeSchedule(desired), state }));
  await verify(client, desired);
  return 'updated';
}

async function remove(client: Client, id: string): Promise<AppliedSchedule['done']> {
  try {
    await client.schedule.getHandle(id).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  return 'deleted';
}

const verifyAttempts = 25;
const verifyPauseMs = 200;

/** Asks the server what it has now: it takes updates later than it answers, and not always as they were sent. */
async function verify(client: Client, desired: DesiredSchedule): Promise<void> {
  let wrong = 'it is not there';
  for (let attempts = 0; attempts < verifyAttempts; attempts++) {
    if (attempts > 0) await pause(verifyPauseMs);
    const observed = await describeSchedule(client, desired.id);
    if (!observed) continue;
    const [first] = differences(observed, desired);
    if (!first && observed.mark?.specHash === markOf(desired).specHash) return;
    wrong = first ? `${first.field} is ${first.from} instead of ${first.to}` : 'our mark is missing';
  }
  throw new HoldfastError(
    'HF_TEMPORAL_REFUSED',
    `Schedule ${desired.id} is not as it was applied: ${wrong}`.slice(0, 290),
  );
}
