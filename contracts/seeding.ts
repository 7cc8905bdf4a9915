/** What the steps of a first upload hand back. Only add optional fields. */

/** How far the first upload is, after one portion of it. Bytes are of the source. */
export interface SeedReport {
  /** Nothing is left for a portion of its own: the copy itself comes next. */
  done: boolean;
  /** True when there was nothing to seed: the store has a copy. */
  hasCopy?: boolean;
  portionsDone: number;
  portions: number;
  bytesDone: number;
  bytesTotal: number;
  secondsLeft?: number;
  /** True when there was no portion left to upload. */
  idle?: boolean;
}

/** The last portion that a run has finished. */
export interface FinishedPortion extends SeedReport {
  /** ISO 8601 UTC; absent when this run had nothing to upload: that is no progress. */
  at?: string;
}
