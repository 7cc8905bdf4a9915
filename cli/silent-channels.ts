import { senderOf } from '../config/lookup.js';
import type { Config } from '../config/schema.js';
import { parseNotificationId, workflowTypes } from '../contracts/names.js';
import type { NotifyEvent } from '../contracts/notify.js';
import type { Temporal } from './context.js';
import { dateOf } from './look.js';
import { listExecutions, type RawRun, statusNames } from './visibility.js';

/** Channels through which nobody is told: who relies on them takes their silence for "all is well". */

export interface SilentChannel {
  channel: string;
  /** Whose worker sends. */
  host: string;
  /** `failed`: the newest message that ended did not go out, and is not tried any more; `trying`: one still is, in vain. */
  state: 'failed' | 'trying';
  /** The workflow of that message. */
  message: string;
  event: NotifyEvent | 'test';
  /** Absent: of a test that somebody sent. */
  run?: string;
  /** When it ended; of one that is tried since when. */
  at: Date;
}

/** A message that has not gone out. One that somebody terminated is his own business. */
export interface Unsent {
  message: string;
  startedAt: Date;
  /** Absent while it is tried. */
  closedAt?: Date;
}

/** More than the longest pause between two attempts (15 minutes), so that one of them was made since; by then about ten were. */
const patienceMs = 3_600_000;
const dayMs = 86_400_000;
/** A message of a month ago says nothing of today. */
const lookBackMs = 30 * dayMs;
const mostMessages = 5_000;

const ofMessages = `WorkflowType = '${workflowTypes.notifyPeople}'`;

/** One question to Temporal, and a second one where something has not gone out: whether something else has since. */
export async function readSilentChannels(
  temporal: Temporal,
  config: Config,
  now: Date,
): Promise<SilentChannel[]> {
  if (Object.keys(config.notifications ?? {}).length === 0) return [];
  const began = new Date(now.getTime() - lookBackMs).toISOString();
  const query = `${ofMessages} AND ExecutionStatus IN ('Running', 'Failed', 'TimedOut') AND StartTime > '${began}'`;
  const unsent: Unsent[] = [];
  for await (const info of listExecutions(temporal, query, 1000)) {
    unsent.push(unsentOf(info));
    if (unsent.length >= mostMessages) break;
  }
  const suspects = silentChannels(config, unsent, new Map(), now);
  if (suspects.length === 0) return [];
  return silentChannels(config, unsent, await lastSent(temporal, suspects), now);
}

function unsentOf({ execution, status, startTime, closeTime }: RawRun): Unsent {
  const closedAt = statusNames[status ?? 0] === 'RUNNING' ? undefined : dateOf(closeTime);
  return {
    message: execution?.workflowId ?? '',
    startedAt: dateOf(startTime) ?? new Date(0),
    ...(closedAt && { closedAt }),
  };
}

/** When a message last went through each of the channels, if one did since they fell silent. */
async function lastSent(temporal: Temporal, suspects: readonly SilentChannel[]): Promise<Map<string, Date>> {
  const since = new Date(Math.min(...suspects.map(({ at }) => at.getTime()))).toISOString();
  const query = `${ofMessages} AND ExecutionStatus = 'Completed' AND CloseTime > '${since}'`;
  const open = new Set(suspects.map(({ channel }) => channel));
  const found = new Map<string, Date>();
  let count = 0;
  for await (const { execution, closeTime } of listExecutions(temporal, query, 200)) {
    const channel = parseNotificationId(execution?.workflowId ?? '')?.channel;
    const at = dateOf(closeTime);
    if (channel !== undefined && at && open.delete(channel)) found.set(channel, at);
    count += 1;
    if (open.size === 0 || count >= mostMessages) break;
  }
  return found;
}

/** The pure half: of each channel of the file what speaks against it. What went through since speaks for it. */
export function silentChannels(
  config: Config,
  unsent: readonly Unsent[],
  sentAt: ReadonlyMap<string, Date>,
  now: Date,
): SilentChannel[] {
  return Object.entries(config.notifications ?? {}).flatMap(([channel, entry]) => {
    const own = unsent.filter(({ message }) => parseNotificationId(message)?.channel === channel);
    const worst = worstOf(own, sentAt.get(channel)?.getTime() ?? 0, now.getTime());
    const named = worst && parseNotificationId(worst.message);
    return named ? [{ ...named, host: senderOf(config, entry) ?? '', ...worst }] : [];
  });
}

function worstOf(
  own: readonly Unsent[],
  sentMs: number,
  nowMs: number,
): Pick<SilentChannel, 'message' | 'state' | 'at'> | undefined {
  const failed = own
    .flatMap(({ message, closedAt }) =>
      closedAt ? [{ message, state: 'failed' as const, at: closedAt }] : [],
    )
    .filter(({ at }) => at.getTime() > sentMs)
    .toSorted((a, b) => b.at.getTime() - a.at.getTime());
  const tried = own
    .flatMap(({ message, startedAt, closedAt }) =>
      closedAt ? [] : [{ message, state: 'trying' as const, at: startedAt }],
    )
    // Where another one went through while this one waited for its next attempt, it is given the time for one.
    .filter(({ at }) => nowMs - Math.max(at.getTime(), sentMs) > patienceMs)
    .toSorted((a, b) => a.at.getTime() - b.at.getTime());
  return failed[0] ?? tried[0];
}

/** Which message it is, as a subject of a sentence. */
export function wordsOfMessage({ event, run }: Pick<SilentChannel, 'event' | 'run'>): string {
  if (run === undefined) return 'a test';
  const said = { question: 'asks', failed: 'failed', warnings: 'warns', ok: 'is done', test: 'is tested' };
  return `the message that ${run} ${said[event]}`;
}
