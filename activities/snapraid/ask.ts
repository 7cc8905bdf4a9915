import { HoldfastError } from '../../contracts/errors.js';
import type { RunResult } from '../../system/host.js';
import type { SnapArray } from './array.js';
import { askCommand, type Verb } from './command.js';
import { refuseOthers } from './others.js';
import { type ArrayDiff, parseDiff } from './parse-diff.js';
import { type ArrayStatus, parseStatus } from './parse-status.js';

/** Questions to an array: nothing of it is changed. */

const mostBytes = 256 * 2 ** 20;
/** Of bad blocks: more are known by their number, the first and the last alone. */
const mostBlocks = 100_000;

export interface Asked {
  lines: string[];
  result: RunResult;
}

/** The tags of a short command, without those of single blocks and of files that are as they were. */
export async function ask(array: SnapArray, asked: Verb): Promise<Asked> {
  const { tools, called, lock } = array;
  const { host, signal, log } = tools;
  const lines: string[] = [];
  let bytes = 0;
  let blocks = 0;
  const result = await host.run(askCommand(called, asked), {
    signal,
    lock,
    log,
    onLockWait: () => log('an earlier attempt still works on the array: it is waited for'),
    onLine: (line, stream) => {
      if (stream === 'stderr' || (line.startsWith('block:') && ++blocks > mostBlocks)) return;
      bytes += line.length;
      if (bytes > mostBytes) throw tooMuch(asked.verb);
      lines.push(line);
    },
  });
  await refuseOthers(array, result);
  return { lines, result };
}

const tooMuch = (verb: string): HoldfastError =>
  new HoldfastError('HF_INTERNAL', `snapraid ${verb} said more than ${mostBytes} bytes`);

/** Ends with 0 whenever it could run, also with bad blocks: what it says decides. */
export async function askStatus(array: SnapArray): Promise<ArrayStatus> {
  const { lines, result } = await ask(array, { verb: 'status' });
  if (result.exitCode !== 0) throw failed('status', result, array);
  return parseStatus(lines);
}

export async function askDiff(array: SnapArray): Promise<ArrayDiff> {
  const { lines, result } = await ask(array, { verb: 'diff' });
  if (result.exitCode !== 0 && result.exitCode !== 2) throw failed('diff', result, array);
  return parseDiff(lines, result.exitCode);
}

/** A failure that has no better name. */
export function failed(
  verb: string,
  { exitCode, signal, stderrTail }: Pick<RunResult, 'exitCode' | 'signal' | 'stderrTail'>,
  { tools: { host } }: Pick<SnapArray, 'tools'>,
): HoldfastError {
  const words = stderrTail.trim().split('\n').slice(-3).join(' ').slice(0, 160);
  // The shell around a question tells a signal as 128 and its number; snapraid's own exit codes are small.
  const isKilled = signal !== undefined || (exitCode !== undefined && exitCode > 128 && exitCode < 192);
  const end = signal === undefined ? `exit ${exitCode}` : `ended by ${signal}`;
  return new HoldfastError(
    isKilled ? 'HF_TOOL_KILLED' : 'HF_ARRAY_REFUSED',
    `snapraid ${verb} on "${host.name}" failed: ${end}${words ? `: ${words}` : ''}`.slice(0, 300),
  );
}
