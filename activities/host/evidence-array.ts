import type { DiskHealth } from '../../contracts/snapraid.js';

/** What was proved of SnapRAID arrays. */

interface OfArray {
  run: string;
  resource: string;
}

/** Parity is complete: the tool has said so when asked afterwards. */
export interface ArraySynced extends OfArray {
  kind: 'array-synced';
  job: string;
  files: number;
  blocks: number;
  restorePoint: string;
  /** What a human had approved, when there was something to ask. */
  approved?: string;
  /** The mount that the folder of each disk lay on. */
  mounts?: Record<string, string>;
}
/** A sync was begun and did not come to its end. */
export interface ArrayInterrupted extends OfArray {
  kind: 'array-interrupted';
  /** Of the run that noticed it; 0 is an earlier run. */
  attempt: number;
  unsynced?: number;
}
export interface ArrayStatusSeen extends OfArray {
  kind: 'array-status';
  files: number;
  blocks: number;
  unsynced: number;
  bad: number;
  oldestDays: number;
  wastedBytes: number;
}
/** Blocks were read and found as they should be, or not. */
export interface ArrayScrubbed extends OfArray {
  kind: 'array-scrubbed';
  job: string;
  percent: number;
  bad: number;
  oldestDays: number;
}
export interface ArrayRepaired extends OfArray {
  kind: 'array-repaired';
  repaired: number;
  unrecoverable: number;
}
/** A repair by hand may have begun to write: until it is proved, or a sync after it, nothing is synced without asking. */
export interface ArrayRepairOpen extends OfArray {
  kind: 'array-repair-open';
  /** "disk d2", "deleted files at Films". */
  what: string;
  /** Where it writes, as it was approved. */
  device: string;
  /** Files of its disk that it was approved to write over, by size and time. */
  overwrites?: { path: string; how: string }[];
}
/** What an attempt that was stopped has left half written, as `disk:path`. */
export interface ArrayRepairHalf extends OfArray {
  kind: 'array-repair-half';
  attempt: number;
  files: string[];
}
/** The repair of the same run is proved, and needs no sync. */
export interface ArrayRepairDone extends OfArray {
  kind: 'array-repair-done';
}
export interface ArrayHealth extends OfArray {
  kind: 'array-smart';
  disks: DiskHealth[];
}

/** What is needed to rebuild the array lies on another machine. */
export interface ArrayCopies extends OfArray {
  kind: 'array-copies';
  place: string;
}

export type ArrayFact =
  | ArrayCopies
  | ArraySynced
  | ArrayInterrupted
  | ArrayStatusSeen
  | ArrayScrubbed
  | ArrayRepaired
  | ArrayRepairOpen
  | ArrayRepairHalf
  | ArrayRepairDone
  | ArrayHealth;

/** A run says one thing of a kind about an array or a pool, and of each attempt that it was interrupted, and what it left. */
export const subjectOfResource = (fact: ArrayFact | { kind: 'scrub'; resource: string }): string =>
  fact.kind === 'array-interrupted' || fact.kind === 'array-repair-half'
    ? `${fact.resource}/${fact.attempt}`
    : fact.resource;
