/** What goes over the wire for replications. Only add optional fields; what is long (plans, listings) lies in the state folder. */

/** One resource to one store. */
export interface ReplicationStepInput {
  job: string;
  run: string;
  resource: string;
  store: string;
  /** See Limits in jobs.ts. */
  retryForMs: number;
  /** From 1: one run looks several times, each time at what the last one left. */
  round: number;
  /** The other way round: the replica is what is sent, to this dataset of the host that is asked. */
  sendBack?: { dataset: string };
  /** From the replica to its source, after a failover; the step runs on the host of the replica. */
  back?: true;
}

export interface TransferStepInput extends ReplicationStepInput {
  /** From 0: which of the round's groups. */
  group: number;
}

/** How many streams of a job go at the same time. */
export interface StreamLimits {
  /** Where the job has a limit of its own. */
  parallel?: number;
  /** Where pools have one, for all jobs together. */
  limitedPools?: LimitedPool[];
}

/** A pool that only so many streams may read from or write to at the same time. */
export interface LimitedPool {
  host: string;
  pool: string;
  streams: number;
  /** What of the job lies in it. */
  resources: string[];
  stores: string[];
}

/** A copy whose target is away: what is held for it on the source is looked at all the same. */
export interface ReliefStepInput
  extends Pick<ReplicationStepInput, 'job' | 'run' | 'resource' | 'store' | 'retryForMs'> {
  /** Of `holdingRuns` of an earlier answer: those that have ended. */
  endedRuns?: string[];
}

export interface ReliefReport {
  /** Of pools that are nearly full: how full, who keeps what, and what was let go. */
  warnings: string[];
  /** What they hold stays, because they may be sending it; at most 20. */
  holdingRuns?: string[];
}

/** What a look at both ends found, and what it leaves to do. */
export interface ReplicationLook {
  /** Batches of streams that are due now; none: this was the last look. */
  groups: number;
  /** How many datasets there are of each kind of plan. */
  counts: Record<string, number>;
  /** At most so much is to be sent. */
  bytes: number;
  /** Datasets that only a human can let go on, in words; at most 10, `stoppedCount` says how many there are. */
  stopped: string[];
  stoppedCount: number;
  /** Datasets that should be newer on the target and are not, in words; at most 10. */
  behind: string[];
  behindCount: number;
  /** Nothing to worry about: replicas whose source is gone, renames. */
  notes: string[];
  warnings: string[];
  /** The last look only: what is proved of every dataset. */
  proved?: ProvedReplicas;
  /** The last look only: so many snapshots of the target are kept by no rule of the job. */
  prunable?: number;
}

export interface ProvedReplicas {
  datasets: number;
  /** ISO 8601 UTC: every replica holds its source's state of this moment or a later one. Absent while one has none at all. */
  restorePoint?: string;
  /** sha256 over name, guid and both createtxg of the newest common snapshot of every dataset; the whole list lies beside the evidence. */
  digest: string;
  /** How many datasets are behind their source. */
  lagging?: number;
  /** Of the one that is furthest behind. Absent while one has nothing at all. */
  lagMs?: number;
  /** At most so much is missing, of all together. */
  lagBytes?: number;
}

/** One dataset as both ends have shown it. */
export interface ReplicaState {
  source: string;
  target: string;
  /** What the plan said of it: nothing (to do), incremental, diverged, … */
  kind: string;
  /** The newest snapshot that both sides have. Absent: there is none. */
  common?: { name: string; guid: string; createtxg: number; targetCreatetxg: number; creationS: number };
  /** How much older it is than the newest snapshot that should be there. Absent where there is none in common. */
  lagMs?: number;
  /** At most so much is in the snapshots that are missing. */
  lagBytes: number;
}

/** Everything that the last look at one replica has proved. */
export interface ReplicaStates {
  run: string;
  /** ISO 8601 UTC, by the worker's clock. */
  at: string;
  /** The one in the evidence. */
  digest: string;
  states: ReplicaState[];
  /** Resume tokens that could not be read, and in how many runs in a row. */
  unread?: [token: string, runs: number][];
}

export interface ListReplicasInput {
  /** The worker that proves them. */
  host: string;
  replicas: { resource: string; store: string }[];
  /** So many of the datasets that are furthest behind. */
  limit: number;
}

export interface ListReplicasStep {
  resource: string;
  store: string;
  limit: number;
}

/** How one replica was found by its last look; without `at` nobody has looked yet. */
export interface ReplicaLag {
  resource: string;
  store: string;
  at?: string;
  run?: string;
  datasets: number;
  lagging: number;
  lagBytes: number;
  /** The furthest behind first. */
  worst: ReplicaState[];
  /** Why nothing is known. */
  error?: string;
}

/** Of what the job has brought to the store; answered as retention of snapshots is (contracts/zfs.ts). */
export interface ReplicaRetentionInput extends ReplicationStepInput {
  /** Of the plan that a human has approved. */
  digest?: string;
}

export interface TransferReport {
  datasets: number;
  /** What went through the pipe. */
  bytes: number;
  /** In words, at most 10: the next look says whether they matter. */
  troubles: string[];
}

export interface ParkStepInput extends ReplicationStepInput {
  /** Of the plan that a human has approved. */
  digest?: string;
}

/** Replicas that cannot be continued, and what they would be called. */
export interface ParkingPlan {
  digest: string;
  count: number;
  /** In words, at most 10. */
  lines: string[];
}

export interface ParkingReport {
  parked: number;
  /** At most 10. */
  names: string[];
  warnings: string[];
}

export interface RollBackStepInput extends ReplicationStepInput {
  /** Only this dataset, by its name on either side. */
  dataset?: string;
  /** Of the plan that a human has approved. */
  digest?: string;
}

/** Replicas that can be rolled back, and what is lost by it. */
export interface RollBackPlan {
  digest: string;
  count: number;
  /** In words, at most 10. */
  lines: string[];
  /** Which cannot, and why; at most 10. */
  refused: string[];
}

export interface RollBackReport {
  rolledBack: number;
  /** At most 10. */
  names: string[];
  warnings: string[];
}
