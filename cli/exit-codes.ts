import type { Outcome } from '../contracts/jobs.js';

/** The exit codes are an interface that scripts rely on: they never change their meaning. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
  refused: 5,
  warnings: 6,
  interrupted: 130,
  /** As the shell counts SIGPIPE. */
  readerGone: 141,
} as const;

/** What `run --follow` and `restore` end with when the run handed back a result. */
export const exitOfOutcome = (outcome: Outcome): number =>
  ({
    ok: exitCodes.done,
    warnings: exitCodes.warnings,
    skipped: exitCodes.warnings,
    failed: exitCodes.failed,
    refused: exitCodes.refused,
    cancelled: exitCodes.failed,
  })[outcome];

/** For the reference page and the help of `holdfast` itself. */
export const exitCodeMeanings: readonly [code: number, meaning: string][] = [
  [
    0,
    'done ("run" without --follow: started; "plan" also with differences; "status" always, unless --check)',
  ],
  [
    1,
    'failed or cancelled; "status --check" with something overdue or nobody told; "doctor" with something blocking',
  ],
  [2, 'wrong usage or a mistake in the configuration; a name that fits several things'],
  [3, 'job, run, copy or path not found'],
  [4, 'this command cannot reach Temporal or the host it asks'],
  [5, 'refused: threshold, approval denied or out of time, target not empty, no space'],
  [6, 'done with warnings, or skipped because a host is known to be away; "doctor" with warnings'],
  [130, 'Ctrl-C; a run that was followed goes on'],
  [141, 'whoever read the output went away before its end ("| head"); a run that was started goes on'],
];
