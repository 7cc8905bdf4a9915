/** What the tables of errors say of each. */

/**
 * `never`: the same attempt would fail again, a human or a changed world is needed.
 * `outage`: something is away for now: tried again with growing pauses until the job's `retryFor` has passed without progress.
 */
export type Retry = 'never' | 'outage';

export interface ErrorEntry {
  meaning: string;
  retry: Retry;
  /** The command line's exit code when a run ends with this error. */
  exit: 1 | 2 | 3 | 4 | 5;
  /** What the operator does next. */
  next: string;
}
