import type { RollBack } from '../zfs/roll-back-plan.js';

/** What is proved of datasets and pools: see evidence.ts. */

interface OfStore {
  run: string;
  store: string;
}

/** Every planned dataset has shown the snapshot of this run. */
export interface SnapshotsTaken {
  kind: 'snapshots';
  run: string;
  job: string;
  resource: string;
  snapshot: string;
  datasets: number;
  restorePoint: string;
}
/** Both ends have shown the newest common snapshot of every dataset; see ProvedReplicas. Each of them: activities/zfs/replicate-states.ts. */
export interface ReplicasProved extends OfStore {
  kind: 'replicas';
  job: string;
  resource: string;
  datasets: number;
  restorePoint?: string;
  digest: string;
  lagging?: number;
  lagMs?: number;
  lagBytes?: number;
}
/** A replica went back to a dataset, and both ends have shown the newest common snapshot of each. */
export interface SentBack extends OfStore {
  kind: 'sent-back';
  job: string;
  resource: string;
  dataset: string;
  datasets: number;
  restorePoint?: string;
  digest: string;
}
/** A side took over, was made to stand by, or gave back. */
export interface FailoverDone extends OfStore {
  kind: 'failover';
  job: string;
  resource: string;
  what: 'promoted' | 'source-stood-by' | 'brought-back';
}
/** A resource is what a snapshot of it holds; what it was lies aside. */
export interface RolledBack {
  kind: 'rolled-back';
  run: string;
  job: string;
  resource: string;
  former: RollBack;
}
export interface SnapshotsRemoved {
  kind: 'snapshots-removed';
  run: string;
  job: string;
  kept: number;
  removed: number;
}
/** Of what a replication had brought to its target. */
export interface ReplicasRemoved extends OfStore {
  kind: 'replicas-removed';
  job: string;
  resource: string;
  kept: number;
  removed: number;
}

/** The whole pool was read; what was damaged is repaired. */
export interface PoolScrubbed {
  kind: 'scrub';
  run: string;
  job: string;
  resource: string;
  pool: string;
  repairedBytes: number;
  endedAt: string;
}
