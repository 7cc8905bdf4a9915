import type { Limits } from './jobs.js';
import type { Notifying } from './notify.js';

/** What goes over the wire for restores of snapshots and replicas. Only add optional fields; plan and result are those of jobs.ts. */

/**
 * `files`: paths out of a snapshot into a folder. `send-back`: a whole replica to a dataset that is new or has an older state of it.
 * `clone`: a snapshot as datasets beside the original. `roll-back`: the resource itself as it was; what is there goes aside.
 */
export type DatasetRestoreHow = 'files' | 'send-back' | 'clone' | 'roll-back';

interface Asked {
  job: string;
  resource: string;
  /** Whose replica is read; absent: the resource's own snapshots. */
  store?: string;
  how: DatasetRestoreHow;
  /** A folder or a dataset of the host that works; empty for a roll-back, whose place the host knows. */
  target: string;
  /** Relative to the resource; none means all of it. */
  paths: string[];
  /** The name of a snapshot. */
  copy?: string;
  /** ISO 8601: the newest snapshot that is not younger. */
  at?: string;
  /** Nothing is restored: what this run put aside comes back. */
  undo?: string;
}

export interface DatasetRestoreInput extends Asked, Notifying {
  /** Whose worker works: the host of the target. */
  host: string;
  /** The snapshot jobs of the resource, which wait meanwhile. */
  snapshotJobs: string[];
  /** Where the resource is replicated to: nor does that go on. */
  replicatedTo?: string[];
  /** Streams at the same time. */
  parallel?: number;
  /** The plan is taken as approved. */
  approved?: boolean;
  /** How long the plan waits for a yes. Milliseconds, default 1 h. */
  approveWithinMs?: number;
  limits: Limits;
}

export interface DatasetRestoreStepInput extends Asked {
  run: string;
  /** See Limits in jobs.ts. */
  retryForMs: number;
  /** Of the plan that was approved; the step refuses any other. */
  digest?: string;
}

/** What is said at the end of a restore of datasets. */
export interface DatasetRestoreEnd {
  /** In words: what to know or to do next. */
  notes: string[];
  warnings: string[];
}
