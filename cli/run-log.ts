import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { HoldfastError } from '../contracts/errors.js';
import type { ReadRunLogInput } from '../contracts/jobs.js';
import { parseRunId, workflowQueue, workflowTypes } from '../contracts/names.js';
import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';
import { findRun } from './find-run.js';
import { shown } from './jobs.js';
import { hasWorker } from './look.js';
import { printable } from './render.js';
import { localTime } from './time.js';

const answerWithinMs = 20_000;

/** `logs RUN`: from this machine's state folder when it ran here, else asked from the host that ran it. */
export async function printLog(context: Context, run: string, lines: number): Promise<number> {
  if (!parseRunId(run)) throw new HoldfastError('HF_RUN_NOT_FOUND', `There is no run "${shown(run)}"`);
  const file = join(context.stateFolder, 'logs', `${run}.log`);
  const log = existsSync(file) ? await lastLines(file, lines) : await askHost(context, run, lines);
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

async function askHost(context: Context, run: string, lines: number): Promise<string[]> {
  const temporal = await context.temporal();
  const { description } = await findRun(temporal, run);
  const host = description.searchAttributes.HfHost?.[0];
  if (typeof host !== 'string')
    throw new HoldfastError('HF_RUN_NOT_FOUND', `${run} has no log: it was carried out on no host`);
  if ((await hasWorker(temporal, host, context.now())) === false)
    throw new HoldfastError(
      'HF_HOST_UNREACHABLE',
      `No worker of host ${host} answers, and the log of ${run} lies there`,
    );
  const input: ReadRunLogInput = { host, run, lines };
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
