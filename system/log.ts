import { closeSync, createReadStream, existsSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import pino, { type Logger } from 'pino';
import { redact } from './redact.js';

export type Log = Logger;

/** A process's own log: JSON lines on standard error, secrets blanked out on the way. */
export function createLog(name: string, level = process.env.HOLDFAST_LOG ?? 'info'): Log {
  return pino({ name, level }, { write: (line) => void process.stderr.write(redact(line)) });
}

/** The log of one run on one host. Run ids hold no slash: `parseRunId` is asked before a name comes here. */
export const runLogFile = (stateFolder: string, run: string): string =>
  join(stateFolder, 'logs', `${run}.log`);

export interface RunLog {
  line(text: string): void;
  close(): void;
}

/** Everything that a tool says on standard error lands here; histories and errors keep only a short tail. */
export function openRunLog(stateFolder: string, run: string, fields: Record<string, unknown>): RunLog {
  const file = runLogFile(stateFolder, run);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const log = openSync(file, 'a', 0o600);
  let failed = false;
  let closed = false;
  const write = (line: string): void => {
    // A number that was closed may be another file's by now.
    if (closed) return;
    try {
      writeSync(log, line);
    } catch (error) {
      // A full disk must not end the worker and all that it runs: the step itself finds out when it states its evidence.
      if (!failed) process.stderr.write(`The log ${file} cannot be written: ${(error as Error).message}\n`);
      failed = true;
    }
  };
  const logger = pino({ base: fields, timestamp: pino.stdTimeFunctions.isoTime }, { write });
  // Before it becomes JSON, which writes quotes and backslashes of a secret in another way.
  return {
    line: (text) => logger.info(redact(text)),
    close() {
      if (!closed) closeSync(log);
      closed = true;
    },
  };
}

/** The newest lines of a run's log, oldest first; undefined when this host has none. */
export async function readRunLog(
  stateFolder: string,
  run: string,
  newest: number,
): Promise<string[] | undefined> {
  const file = runLogFile(stateFolder, run);
  if (!existsSync(file)) return undefined;
  const kept: string[] = [];
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    kept.push(line);
    if (kept.length > newest) kept.shift();
  }
  return kept;
}
