import type { ProofState } from './copies.js';

/** What a plan says beside its figures. */
export interface PlanWords {
  /** The copy is a part of a first upload that was not finished: much may be missing. */
  isPart?: boolean;
  /** What the host that restores knows of the copy. */
  proof?: ProofState;
  /** The host that made the copy, where it is not the one that the resource is on. */
  madeBy?: string;
  /** How owners and groups are mapped, and of how many entries they change. */
  mapping?: { mapIds: string[]; entries: number };
  /** What will be done, a line each, where whole datasets are restored and no files. */
  steps?: string[];
  /** What of that which was asked for is not restored, and why. */
  notes?: string[];
}
