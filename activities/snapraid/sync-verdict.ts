import { HoldfastError } from '../../contracts/errors.js';
import type { RunResult } from '../../system/host.js';
import type { SnapArray } from './array.js';
import type { WorkEnd } from './parse-work.js';

/** What the end of a sync means. Pure. snapraid up to 12.4 ends with 0 and "ok" after it was told to stop. */

type Ended = Pick<RunResult, 'exitCode' | 'signal' | 'stderrTail'>;

/** `again`: files changed under it. The status is asked in any case. */
export function judgeSync(
  end: WorkEnd,
  { exitCode, signal, stderrTail }: Ended,
  host: string,
): 'done' | 'interrupted' | 'again' | HoldfastError {
  if (wasStopped(end, { exitCode, signal })) return 'interrupted';
  if (exitCode === 0 && end.exit === 'ok') return 'done';
  if (end.ioErrors > 0) return failing(end, host);
  if (end.dataErrors > 0)
    return new HoldfastError(
      'HF_ARRAY_DAMAGED',
      `The sync on "${host}" met ${end.dataErrors} blocks that are not what they were: ${namesOf(end)}`.slice(
        0,
        300,
      ),
    );
  if (end.exit !== undefined && end.exit !== 'ok' && end.fileErrors > 0) return 'again';
  return refused(stderrTail, exitCode, host);
}

/** By us, by a restart, by whoever: over ssh and sudo the number of a signal comes as an exit code beyond 128. 255 is of ssh itself. */
export const wasStopped = (
  { interrupted }: Pick<WorkEnd, 'interrupted'>,
  { exitCode = 0, signal }: Pick<RunResult, 'exitCode' | 'signal'>,
): boolean => interrupted || signal !== undefined || (exitCode > 128 && exitCode < 192);

export const stopped = ({ input }: SnapArray, what: string): HoldfastError =>
  new HoldfastError(
    'HF_TOOL_KILLED',
    `The ${what} of "${input.resource}" was stopped from outside. It goes on`,
  );

export const failing = (end: WorkEnd, host: string): HoldfastError =>
  new HoldfastError(
    'HF_ARRAY_DISK_MISSING',
    `Do not sync: a disk on "${host}" gives errors (${end.ioErrors}): ${namesOf(end)}. Look at it, and plan its replacement`.slice(
      0,
      300,
    ),
  );

const namesOf = ({ troubles }: WorkEnd): string => troubles.slice(0, 3).join('; ') || 'see the log';

/** It did not even begin: its own guards, or a mistake in snapraid.conf. */
function refused(stderrTail: string, exitCode: number | undefined, host: string): HoldfastError {
  const words = stderrTail.trim().split('\n').slice(-4).join(' ').slice(0, 200);
  const code = /no space left/i.test(stderrTail) ? 'HF_NO_SPACE' : 'HF_ARRAY_REFUSED';
  return new HoldfastError(code, `snapraid sync on "${host}" ended with ${exitCode}: ${words}`.slice(0, 300));
}
