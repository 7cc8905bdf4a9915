/** What goes over the wire for SnapRAID arrays. Only add optional fields. */

export type SnapraidStepName = 'touch' | 'sync' | 'scrub' | 'smart';

/** What a workflow must know of a job beforehand; everything else the host reads in its own file. */
export interface SnapraidOptions {
  /** What a run does after the guards, in this order. */
  steps: SnapraidStepName[];
  /** How long a question waits for a yes. */
  approveWithinMs: number;
  /** Send the disks to sleep at the end. */
  spinDown?: true;
}

/** One array of a job. */
export interface SnapraidStepInput {
  job: string;
  run: string;
  resource: string;
  /** See Limits in jobs.ts. */
  retryForMs: number;
}

/** The state of an array as it was found: all its disks are there. */
export interface SnapraidLook {
  resource: string;
  files: number;
  /** Blocks whose parity is not that of their data. */
  unsynced: number;
  bad: number;
  /** Blocks that no scrub has read yet. */
  unscrubbed: number;
  blocks: number;
  /** A rehash is pending: it is done by and by, with the scrubs. */
  rehash: boolean;
  /** Days since the block that was read longest ago. */
  oldestDays: number;
  /** Files without a sub-second time stamp: moves of them are not recognised. */
  withoutSubseconds: number;
  /** Parity that smaller disks cannot use. */
  wastedBytes: number;
  /** Until the hours begin in which the job may work; 0 while they are. */
  closedMs: number;
  /** Why the share of the array does not answer, where one is named. */
  shareSilent?: string;
  warnings: string[];
}

export interface SnapraidLookInput extends SnapraidStepInput {
  /** The work is done: what does not answer now is told, and keeps nothing away any more. */
  after?: true;
}

export interface SnapraidTouchInput extends SnapraidStepInput {
  /** As the run has just seen it: each status of a large array reads gigabytes. */
  withoutSubseconds?: number;
}

export type ChangeKind = 'added' | 'removed' | 'updated' | 'moved' | 'copied' | 'restored' | 'relocated';

/** What a sync would make permanent. */
export interface SnapraidPlan {
  resource: string;
  counts: Record<ChangeKind, number>;
  /** Nothing was changed, and parity is complete. */
  isInSync: boolean;
  /** Blocks of an earlier sync that was interrupted are to be done. */
  unsynced: boolean;
  /** Why a human must look at it, in words; empty when a sync may go on by itself. */
  reasons: string[];
  /** Why it is not worth a sync yet, where the job says when it is. */
  notDue?: string;
  /** ISO 8601 UTC: the state of the newest proved sync, where none is due. */
  syncedPoint?: string;
  /** Of every change but additions: an approval is bound to it. */
  digest: string;
  /** The first hundred changes by folder, as they are shown. */
  lines: string[];
  /** Where all of them lie, on the machine of the worker. */
  file: string;
  warnings: string[];
}

export interface SnapraidSyncInput extends SnapraidStepInput {
  /** Of the plan that a human has approved. */
  digest?: string;
  /** Also when nothing has changed: snapraid writes down the identity of a new disk only then. */
  always?: true;
  /** Nothing keeps writers away: only prove that parity is complete, and ask when it is not any more. */
  onlyProve?: true;
}

export interface SnapraidSyncReport {
  resource: string;
  /** `asks`: what is there now must be looked at, and approved where it has reasons, first; it was not synced. */
  state: 'complete' | 'asks';
  plan: SnapraidPlan;
  /** ISO 8601 UTC: parity holds the array as it was at this moment. */
  restorePoint: string;
  /** How often a sync was begun and did not come to its end before. */
  interrupted: number;
  bytesDone: number;
  warnings: string[];
}

export interface SnapraidScrubInput extends SnapraidStepInput {
  /** Only what is known to be bad, after a repair. */
  onlyBad?: boolean;
}

/** What a repair of bad blocks would do. */
export interface SnapraidBadBlocks {
  /** Blocks that are known to be bad now. */
  bad: number;
  /** Files with bad blocks, and whether they can be repaired, in words: the first twenty. */
  files: string[];
  /** Of the bad blocks and their files: an approval of the repair is bound to it. */
  digest: string;
}

export interface SnapraidScrubReport extends SnapraidBadBlocks {
  resource: string;
  /** `outside`: it was stopped, or not begun, because the hours of the job were over. */
  state: 'finished' | 'outside';
  waitMs?: number;
  percent: number;
  blocks: number;
  warnings: string[];
}

export interface SnapraidRepairInput extends SnapraidStepInput {
  digest: string;
}

export interface SnapraidRepairReport {
  resource: string;
  repaired: number;
  unrecoverable: number;
  files: string[];
  /** Other blocks are bad than those that were approved: nothing was repaired, and these must be approved. */
  changed?: SnapraidBadBlocks;
}

export interface DiskHealth {
  disk: string;
  device: string;
  temperature?: number;
  /** Of the next year, as snapraid computes it. Percent. */
  failureProbability?: number;
  /** FAIL, PREFAIL, an attribute in trouble: in words. */
  trouble?: string;
}

export interface SnapraidSmartReport {
  resource: string;
  disks: DiskHealth[];
  /** Disks whose health nobody could ask for: virtual ones, those behind a controller, or smartctl is missing. */
  unknown?: string[];
  warnings: string[];
}

export interface SnapraidCopiesReport {
  resource: string;
  /** `host:/path` of the archive; empty when nothing says where it is to be kept. */
  place: string;
}

/** A procedure by hand: `holdfast do`. What is set, the host checks. */
export interface SnapraidByHandInput extends SnapraidStepInput {
  action: string;
  settings: Record<string, string>;
  /** Of the plan that was approved; the step refuses any other. */
  digest?: string;
  /** After the sync: what was repaired is read once more, and nothing is written. */
  onlyProve?: true;
}

/** What a procedure by hand will do, as shown before it does it. */
export interface SnapraidByHandPlan {
  resource: string;
  digest: string;
  /** In one line. */
  what: string;
  lines: string[];
  /** Nothing is to be done. */
  nothing?: true;
  /** Why it cannot be done as things are, in words; only a plan alone shows it. */
  refused?: string;
}

export interface SnapraidByHandReport {
  resource: string;
  recovered: number;
  /** Files that cannot be had back, the first hundred. */
  lost: string[];
  lostCount: number;
  /** What was compared afterwards, in words. */
  proved: string;
  /** What is not right and known to be so. */
  warnings?: string[];
}
