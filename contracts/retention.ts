import type { StepInput } from './jobs.js';

/** What steps on a whole repository are asked, and what retention answers. */

/** Of no resource alone. Older histories carry an empty `resource` besides. */
export type StoreStepInput = Pick<StepInput, 'job' | 'run' | 'store' | 'retryForMs'>;

/** What retention did. */
export interface PruneReport {
  store: string;
  kept: number;
  removed: number;
  /** Bytes that the store reported as freed; -1 when the tool did not say. */
  bytesFreed: number;
  warnings: string[];
  /** How many copies each rule keeps, in the tool's words; one copy may have several reasons. */
  reasons?: Record<string, number>;
  /** The store is append-only: nothing was even tried. */
  appendOnly?: boolean;
}

/** Which copies another host has proved good: the evidence lies where the backup ran. */
export interface PruneStepInput extends StoreStepInput {
  /** Beginnings of ids by resource; a resource of another host that is missing here is left alone. */
  goodElsewhere?: Record<string, string[]>;
}
