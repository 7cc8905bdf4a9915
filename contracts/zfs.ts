/** What goes over the wire for snapshots and their retention. Only add optional fields. */

/** One pool of a job. */
export interface ScrubStepInput {
  job: string;
  run: string;
  resource: string;
  /** See Limits in jobs.ts. */
  retryForMs: number;
}

export interface ScrubReport {
  resource: string;
  pool: string;
  /** `outside`: the hours in which the job may work are over, the scrub is paused. */
  state: 'finished' | 'outside';
  /** Until the hours begin again. */
  waitMs?: number;
  repairedBytes: number;
  /** ISO 8601 UTC, by the host's clock; empty while it is not over. */
  endedAt: string;
  /** ONLINE, DEGRADED, … */
  poolState: string;
  warnings: string[];
}

/** All resources of a job at once: those of one pool are taken in one moment. */
export interface SnapshotStepInput {
  job: string;
  run: string;
  resources: string[];
  /** See Limits in jobs.ts. */
  retryForMs: number;
}

/** The snapshots of one resource by one run, as they were found afterwards. */
export interface SnapshotReport {
  resource: string;
  /** What stands after "@", the same for every dataset. */
  snapshot: string;
  /** How many datasets have it. */
  datasets: number;
  /** ISO 8601 UTC: the oldest of them. */
  restorePoint: string;
  /** An earlier attempt of the run had made some or all of them. */
  adopted?: boolean;
  /** What changed since the last run and is no fault: datasets that came, went or were renamed, in words. */
  notes: string[];
  warnings: string[];
}

export interface RetentionStepInput extends SnapshotStepInput {
  /** Of the plan that a human has approved; without it, a plan that would remove unusually much removes nothing. */
  digest?: string;
  /** Of the `holdingRuns` of an earlier report, those that send nothing any more. */
  endedRuns?: string[];
}

/** What retention of a job's snapshots did, or would do. */
export interface RetentionReport {
  kept: number;
  removed: number;
  /** How many snapshots each rule keeps, in words. */
  reasons: Record<string, number>;
  /** The job has no rules: nothing is ever removed. */
  everything?: true;
  /** Nothing may be removed now, whoever says yes. */
  refused?: string;
  /** It would remove unusually much: a human must say yes to just this plan. */
  asks?: { digest: string; what: string; removes: number };
  /** A pool is short, and these runs of replication hold snapshots: asked again with those that have ended, more is let go. */
  holdingRuns?: string[];
  /** Those of the warnings that are of what was done, and not of the pool: they hold whatever is done next. */
  remarks?: string[];
  warnings: string[];
}
