import type { ErrorCode } from '../../contracts/errors.js';

/** What a scene of the failure drill is, and when its end is right. Pure. */

export interface Outcome {
  came: ErrorCode | 'ok';
  message: string;
}

export interface Judged {
  /** What was found afterwards, in words. */
  endState: string;
  isRight: boolean;
}

export type Played = Outcome & Judged;

export interface Scene {
  mishap: string;
  expected: ErrorCode | 'ok';
  /** `skipped` says why it cannot be played here. */
  play(): Promise<Played | { skipped: string }>;
}

export interface Counts {
  /** Snapshots of this run in the repository. */
  ofRun: number;
  /** Copies that are there and proved. */
  good: number;
  locks: number;
}

/** The repository after a scene against what it should hold; there is never a lock left. */
export function judgeCounts(found: Counts, right: { ofRun: number; good: number }): Judged {
  const isRight = found.ofRun === right.ofRun && found.good === right.good && found.locks === 0;
  const numbers = `snapshots of this run: ${found.ofRun}, good copies: ${found.good}, locks: ${found.locks}`;
  const wanted = isRight ? '' : ` (should be ${right.ofRun}, ${right.good}, 0)`;
  return { endState: numbers + wanted, isRight };
}

/** What was seen of a run whose worker was killed. */
export interface AfterWorker {
  /** How the run ended. */
  end: Outcome;
  /** What "holdfast status" said while no worker was there; empty when it said nothing. */
  said: string;
  counts: Counts;
  /** Names of processes that were there when nothing should be any more. */
  left: readonly string[];
}

/** A user cares for all of it: that somebody said so, that the run ended well, that there is one copy, and that nothing is left. */
export function judgeWorkerKilled({ end, said, counts, left }: AfterWorker, good: number): Played {
  const judged = judgeCounts(counts, { ofRun: 1, good });
  const endedWell = end.came === 'ok';
  const words = [
    endedWell ? 'with a new worker the run ended well' : `with a new worker the run ended with ${end.came}`,
    judged.endState,
    `processes: ${left.length}${left.length > 0 ? ` (${left.join(', ')}; should be 0)` : ''}`,
    ...(said === '' ? ['status said nothing of the dead worker'] : []),
  ];
  return {
    came: end.came,
    message: [said, ...(endedWell ? [] : [end.message])].filter((text) => text !== '').join('; '),
    endState: words.join('; '),
    isRight: endedWell && judged.isRight && left.length === 0 && said !== '',
  };
}
