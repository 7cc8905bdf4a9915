import type { Notifying } from './notify.js';

/** What goes over the wire for failovers and failbacks. Only add optional fields; what is long lies in the state folder. */

/** One resource and one store. The step runs on the host of the replica. */
export interface FailoverStepInput {
  job: string;
  run: string;
  resource: string;
  store: string;
  /** See Limits in jobs.ts. */
  retryForMs: number;
  /** As given with --set; what they mean is judged on the host. */
  settings: Record<string, string>;
  /** Of the plan that a human has approved; the step refuses any other state of things. */
  digest?: string;
  /** The job's hooks run with the first or the last of its resources, and are undone with it. */
  withHooks?: true;
  /** What the plan was made for. */
  source?: SourceState;
}

/** What the source is, as far as it can be told. */
export type SourceState =
  /** It answers over ssh and shows its datasets. */
  | 'answers'
  /** The machine answers, its datasets are not there. */
  | 'lost'
  /** Nothing answers, which proves nothing. */
  | 'silent';

export interface FailoverPlan {
  digest: string;
  source: SourceState;
  /** In words, one line each, at most 60. */
  lines: string[];
  datasets: number;
  /** An earlier run has begun to take over: nothing is stopped or sent any more. */
  goesOn?: true;
  /** It is as it would be afterwards: the rest of the job's resources goes on without it. */
  alreadyDone?: true;
  /** There are hooks to stop on the side that is in use now, or to start on the other. */
  hooks: { stop: boolean; start: boolean };
}

export interface FailoverReport {
  datasets: number;
  /** What a human does now, in words. */
  byHand: string[];
  /** Nothing to worry about. */
  notes: string[];
  warnings: string[];
}

/** The side that was in use stands by, and has its last snapshot. */
export interface StoppedSide {
  snapshot: string;
  warnings: string[];
}

/** The side that returned is ready to receive. */
export interface ReadySide {
  /** Names of what was put aside; at most 20. */
  apart: string[];
  count: number;
}

/** Of a source that is known to be away. */
export interface FenceReport {
  /** It answers all the same, while its replica is in use: why it was made to stand by just now. */
  fenced?: string;
}

/** Sources that did not answer when their replicas took over: each is made to stand by as soon as it answers. */
export interface WatchInput extends Notifying {
  job: string;
  store: string;
  resources: string[];
  /** Of the replicas. */
  host: string;
  /** See Limits in jobs.ts. */
  deadHostAfterMs: number;
}

export interface WatchStepInput {
  job: string;
  run: string;
  store: string;
  resources: string[];
  /** Those of which people know already that they answer and cannot be made readonly. */
  told: string[];
  /** See Limits in jobs.ts. */
  retryForMs: number;
}

export interface WatchReport {
  /** In words, one for each source that answered; none where the watch is over and nothing came back. */
  found: string[];
  /** Which of them could not be made readonly; they are tried on. */
  open: string[];
  /** Nothing is left to wait for: each source stands by, or its replica is not the one in use any more. */
  isOver: boolean;
}
