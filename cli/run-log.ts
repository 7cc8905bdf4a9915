import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ReadRunLogInput } from '../contracts/by-hand.js';
import { HoldfastError } from '../contracts/errors.js';
import { parseRunId, workflowQueue, workflowTypes } from '../contracts/names.js';
import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';
import { describeFailure } from './fail.js';
import { findRun } from './find-run.js';
import { stepsOf } from './history.js';
import { shown } from './jobs.js';
import { hasWorker } from './look.js';
import { printable } from './printable.js';
import { localTime } from './time.js';

const answerWithinMs = 20_000;

/** `logs RUN`: from this machine's state folder, and from every other host on which the run had steps. */
export async function printLog(context: Context, run: string, lines: number): Promise<number> {
  if (!parseRunId(run)) throw new HoldfastError('HF_RUN_NOT_FOUND', `There is no run "${shown(run)}"`);
  const file = join(context.stateFolder, 'logs', `${run}.log`);
  const own = existsSync(file) ? await lastLines(file, lines) : undefined;
  const others = await logsElsewhere(context, { run, lines, own });
  const log = inOrder([own ?? [], ...others]).slice(-lines);
  if (context.json) context.out(JSON.stringify({ run, lines: log }, null, 2));
  else for (const line of log) context.out(printable(plainLine(line)));
  return exitCodes.done;
}

/** Logs are JSON lines; people read time, level where it matters, and words. */
export function plainLine(line: string): string {
  const fields = fieldsOf(line);
  if (!fields) return line;
  const { time, level, step, msg } = fields;
  const when = typeof time === 'string' || typeof time === 'number' ? localTime(new Date(time)) : '';
  const mark = typeof level === 'number' && level >= 40 ? (level >= 50 ? 'ERROR' : 'WARN') : '';
  return [when, mark, typeof step === 'string' ? `${step}:` : '', String(msg)].filter(Boolean).join(' ');
}

function fieldsOf(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'msg' in value ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the file as a stream: a log may be larger than memory, its newest lines are not. */
export async function lastLines(file: string, count: number): Promise<string[]> {
  const last: string[] = [];
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    last.push(line);
    if (last.length > 2 * count) last.splice(0, last.length - count);
  }
  return last.slice(-count);
}

interface Wanted {
  run: string;
  lines: number;
  /** What this machine has of it. */
  own: string[] | undefined;
}

/** Throws only when there is nothing to show at all: half a log is worth more than none, and what is missing is said. */
async function logsElsewhere(context: Context, { run, lines, own }: Wanted): Promise<string[][]> {
  const here = new Set((own ?? []).map((line) => fieldsOf(line)?.host));
  const isMissing = (host: string): boolean => !here.has(host);
  const logs: string[][] = [];
  const failures: unknown[] = [];
  const hosts = await hostsOf(context, run).catch((error: unknown) => {
    if (own === undefined) throw error;
    context.note(printable(`only what this machine has: ${describeFailure(error).message}`));
    return [];
  });
  for (const host of hosts.filter(isMissing))
    await askHost(context, { host, run, lines }).then(
      (log) => logs.push(log),
      (error: unknown) => failures.push(error),
    );
  if (own === undefined && logs.length === 0)
    throw failures[0] ?? new HoldfastError('HF_RUN_NOT_FOUND', `${run} has no log: it had a step on no host`);
  for (const failure of failures) context.note(printable(`not shown: ${describeFailure(failure).message}`));
  return logs;
}

/** Where the run had steps; before its first step, where it was to have them. */
async function hostsOf(context: Context, run: string): Promise<string[]> {
  const { handle, description } = await findRun(await context.temporal(), run);
  const hosts = stepsOf(await handle.fetchHistory()).flatMap(({ host }) => host ?? []);
  const planned = description.searchAttributes.HfHost?.[0];
  if (hosts.length === 0 && typeof planned === 'string') return [planned];
  return [...new Set(hosts)];
}

/** By their times, those of one host in the order in which it wrote them. */
function inOrder(logs: readonly string[][]): string[] {
  if (logs.length === 1) return logs[0] ?? [];
  const timed = logs.flatMap((log) => {
    let last = 0;
    return log.map((line) => {
      const at = Date.parse(String(fieldsOf(line)?.time));
      last = Number.isNaN(at) ? last : Math.max(at, last);
      return { line, at: last };
    });
  });
  return timed.sort((a, b) => a.at - b.at).map(({ line }) => line);
}

async function askHost(context: Context, input: ReadRunLogInput): Promise<string[]> {
  const temporal = await context.temporal();
  const { host, run } = input;
  if ((await hasWorker(temporal, host, context.now())) === false)
    throw new HoldfastError(
      'HF_HOST_UNREACHABLE',
      `No worker of host ${host} answers, and the log of ${run} lies there`,
    );
  return temporal.client.workflow.execute<(input: ReadRunLogInput) => Promise<string[]>>(
    workflowTypes.readRunLog,
    {
      workflowId: `log-${randomUUID()}`,
      taskQueue: workflowQueue,
      args: [input],
      workflowExecutionTimeout: answerWithinMs,
    },
  );
}
