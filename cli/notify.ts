import { randomUUID } from 'node:crypto';
import { senderOf } from '../config/lookup.js';
import { suggestion } from '../config/mistakes.js';
import type { Config } from '../config/schema.js';
import { type ErrorCode, HoldfastError } from '../contracts/errors.js';
import { notificationId, workflowQueue, workflowTypes } from '../contracts/names.js';
import type { NotifyInput } from '../contracts/notify.js';
import type { Context, Temporal } from './context.js';
import { exitCodes } from './exit-codes.js';
import { describeFailure } from './fail.js';
import { shown } from './jobs.js';
import { printable } from './printable.js';
import { resultOf } from './result.js';
import { errorOfRun, isEndOfRun } from './run-end.js';

interface Sent {
  channel: string;
  host: string;
  error?: { code: ErrorCode; message: string; next: string };
}

/** A worker may need half a minute for each part of an attempt. */
const withinMs = 200_000;

/** `notify`: one message through each channel, and whether it went. */
export async function sendTests(context: Context, wanted: readonly string[]): Promise<number> {
  const channels = channelsOf(await context.config(), wanted);
  const temporal = await context.temporal();
  const all = await Promise.all(channels.map((one) => sendTest(temporal, one, context.now)));
  if (context.json) context.out(JSON.stringify(all, null, 2));
  else for (const one of all) for (const line of linesOf(one)) context.out(printable(line));
  return all.every(({ error }) => error === undefined) ? exitCodes.done : exitCodes.failed;
}

function channelsOf(config: Config, wanted: readonly string[]): { channel: string; host: string }[] {
  const known = Object.keys(config.notifications ?? {});
  const next = 'Look at "notifications" in holdfast.yaml: "holdfast explain notifications"';
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new HoldfastError(
      'HF_RUN_NOT_FOUND',
      `There is no channel "${shown(unknown)}"${suggestion(unknown, known)}`,
      { next },
    );
  if (known.length === 0)
    throw new HoldfastError('HF_RUN_NOT_FOUND', 'holdfast.yaml names no channel: nobody is ever told', {
      next,
    });
  return [...new Set(wanted.length > 0 ? wanted : known)].map((channel) => ({
    channel,
    host: senderOf(config, config.notifications?.[channel] ?? {}) ?? '',
  }));
}

async function sendTest(
  temporal: Temporal,
  { channel, host }: { channel: string; host: string },
  now: () => Date,
): Promise<Sent> {
  const what = `this is a test of the channel ${channel}, sent by the worker of ${host}`;
  const input: NotifyInput = { channel, host, once: true, notice: { event: 'test', what, lines: [], host } };
  // No RUN: the part behind the channel has no time in it.
  const workflowId = notificationId('by-hand', channel, 'test', randomUUID());
  try {
    const handle = await temporal.client.workflow.start(workflowTypes.notifyPeople, {
      workflowId,
      taskQueue: workflowQueue,
      args: [input],
      workflowExecutionTimeout: withinMs,
      staticSummary: `test of ${channel}`,
    });
    await resultOf(temporal, handle, { now, withinMs });
    return { channel, host };
  } catch (error) {
    const { code, message, next } = describeFailure(
      isEndOfRun(error) ? errorOfRun(workflowId, error) : error,
    );
    return { channel, host, error: { code, message, next, ...notTaken[code]?.(host) } };
  }
}

/** That nobody took it is told in the words of what is missing: a worker, or the orchestrator, without which it never began. */
const notTaken: Partial<
  Record<ErrorCode, (host: string) => Pick<NonNullable<Sent['error']>, 'message' | 'next'>>
> = {
  HF_HOST_UNREACHABLE: (host) => ({
    message: `No worker of host ${host} takes it`,
    next: `Start "holdfast worker --host ${host}"`,
  }),
  HF_TEMPORAL_UNREACHABLE: () => ({
    message: 'No orchestrator takes it',
    next: 'Start "holdfast up" or "holdfast orchestrator"',
  }),
};

const linesOf = ({ channel, host, error }: Sent): string[] =>
  error
    ? [`${channel}: NOT sent: ${error.code}: ${error.message}`, `  next: ${error.next}`]
    : [`${channel}: sent by ${host}`];
