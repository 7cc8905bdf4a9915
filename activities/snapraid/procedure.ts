import type { SnapraidByHandPlan } from '../../contracts/snapraid.js';
import type { MissingDisk } from './array.js';
import type { FixWhat } from './command.js';
import type { Overwrite } from './overwrites.js';
import type { WorkEnd } from './parse-work.js';

/** The form that every repair by hand has: undelete, replace-disk, rebuild-parity. by-hand.ts carries it out. */

export interface Procedure {
  /** What is repaired, in words: "disk d2". */
  subject: string;
  /** A disk that may be away, or empty: it is the one that is repaired. */
  without?: string;
  /** Whether it can be carried out, or at least planned, although this other disk is not as it should be. */
  bears?(other: MissingDisk, planning: boolean): boolean;
  /** Where it writes, when that is a disk that a human has put in. */
  device?(): Promise<string>;
  fix: FixWhat;
  plan(): Promise<PlanOfRepair>;
  /** Before a later attempt writes: throws when it would write over what nobody has approved. */
  refuseNewer?(): Promise<void>;
  /** Reads what was repaired once more. */
  prove(end: WorkEnd): Promise<Proof>;
}

export interface PlanOfRepair extends Pick<SnapraidByHandPlan, 'what' | 'lines' | 'nothing' | 'refused'> {
  /** What the approval holds for. */
  bound: unknown;
  overwrites?: Overwrite[];
}

/** What was found when it was read again. */
export interface Proof {
  /** What was compared, in words. */
  words: string;
  isClean: boolean;
  /** All that is not right is known to be so: files that were said to be lost, blocks that changed since the last sync. */
  isExplained?: boolean;
}

export const noContent =
  'No content file of the array is found: without one nothing can be had back. Bring one back first';
