import type { SnapArray } from './array.js';
import { failed } from './ask.js';
import type { FixWhat } from './command.js';
import { parseWork, type WorkEnd } from './parse-work.js';
import { stopped, wasStopped } from './sync-verdict.js';
import { work } from './work.js';

export interface Checked extends WorkEnd {
  exitCode: number | undefined;
}

/** Reads and compares, and changes nothing. One that was told to stop says "ok" for what it has read: it proves nothing, and is done again. */
export async function check(
  array: SnapArray,
  what: FixWhat,
  options: { auditOnly?: true; verbose?: true } = {},
): Promise<Checked> {
  const { lines, result } = await work(array, { verb: 'check', what, ...options });
  const end = parseWork('check', lines);
  if (wasStopped(end, result)) throw stopped(array, 'check');
  if (end.exit === undefined) throw failed('check', result, array);
  return { ...end, exitCode: result.exitCode };
}
