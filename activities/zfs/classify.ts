import { type ErrorCode, errors, HoldfastError } from '../../contracts/errors.js';
import type { RunResult } from '../../system/host.js';

/** What the end of a zfs or zpool means. They end with 1 for nearly everything, so the words of the C locale decide. */

const wordsFor: readonly [ErrorCode, RegExp][] = [
  [
    'HF_ZFS_DENIED',
    /permission denied|operation not permitted|must be superuser|may not be run|insufficient privileges/i,
  ],
  ['HF_POOL_SUSPENDED', /pool I\/O is currently suspended|pool .*is (unavail|suspended)|I\/O error/i],
  ['HF_NO_SPACE', /out of space|no space left|quota exceeded/i],
  ['HF_DATASET_MISSING', /dataset does not exist|no such pool|could not find any snapshots|no such dataset/i],
  [
    'HF_TOOL_MISSING',
    /ZFS modules cannot be auto-loaded|modprobe zfs|\/dev\/zfs.*No such file|command not found/i,
  ],
];

/** Throws what a failed command of ZFS means; `doing` says what it was to do, and to what ("list fast/kubernetes"). */
export function mustSucceed(result: RunResult, doing: string, host: string): RunResult {
  if (result.exitCode === 0) return result;
  throw zfsFailure(result, doing, host);
}

/** The failure in our words, for who wants to look at it first. */
export function zfsFailure(
  { exitCode, signal, stderrTail }: Pick<RunResult, 'exitCode' | 'signal' | 'stderrTail'>,
  doing: string,
  host: string,
): HoldfastError {
  const words = firstWords(stderrTail) || (signal ? `ended by ${signal}` : `exit ${exitCode}`);
  const code = codeOf(exitCode, stderrTail);
  const { next } = errors[code];
  const room = 300 - next.length - doing.length - host.length - 30;
  const why = words.length > room ? `${words.slice(0, room - 1)}…` : words;
  return new HoldfastError(code, `Cannot ${doing} on "${host}": ${why}. ${next}`.slice(0, 300), { host });
}

/** Whether zfs says so. What it says it of stands in quotes, and is no part of that: a dataset may be called "out of space" or "exists". */
export const complains = (form: RegExp, words: string): boolean =>
  form.test(words.replace(/(?<![A-Za-z])'[^']*(?:'|$)/g, "''"));

function codeOf(exitCode: number | undefined, stderrTail: string): ErrorCode {
  if (exitCode === undefined) return 'HF_TOOL_KILLED';
  return wordsFor.find(([, form]) => complains(form, stderrTail))?.[0] ?? 'HF_TOOL_FAILED';
}

const firstWords = (stderrTail: string): string =>
  stderrTail
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, 2)
    .join(' ');
