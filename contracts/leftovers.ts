/** What replications that the configuration does not know any more, and runs that nobody remembers, have left in pools. Only add optional fields. */

/** Of one destination, as far as the names tell. */
export interface LeftoverGroup {
  /** "copies to grogu.photos: 3 holds and 40 bookmarks by photos-to-grogu on 40 datasets below fast/photos, since …; …". */
  words: string;
  /** The state folder of the host's worker knows that it has made them. */
  isRemembered: boolean;
  /** Of backups and restores that read from snapshots, and of which this host knows nothing. */
  isReading?: true;
  /** A job whose by-hand action can release them. Absent: only the lines can. */
  job?: string;
}

export interface LeftoverFacts {
  /** Those that keep most first; at most 10. */
  groups: LeftoverGroup[];
  /** How many groups there are. */
  groupCount: number;
  /** For what no job of the file covers: commands for the host, at most 10. */
  lines: string[];
  lineCount: number;
  /** Datasets with a half received stream of ours that no job of the file goes on with; at most 10. */
  half?: string[];
  halfCount?: number;
  /** So many held snapshots were too many to ask who holds them. */
  unasked?: number;
  /** Why nothing is known. */
  error?: string;
}

/** On one host, of all that the job covers there. */
export interface LeftoversStepInput {
  job: string;
  run: string;
  /** See Limits in jobs.ts. */
  retryForMs: number;
  /** A human says that no other holdfast.yaml uses what nobody on the host remembers. */
  unknown?: string;
  /** Of the plan's `holdingRuns`, those that have ended. */
  endedRuns?: string[];
  /** Of the plan that a human has approved. */
  digest?: string;
}

export interface LeftoversPlan {
  digest: string;
  /** How many would be released or destroyed. */
  count: number;
  /** In words: each destination, then the names; the run's log has all of them. */
  lines: string[];
  /** What stays, and why. */
  refused: string[];
  /** Runs that may be sending or reading, whose holds are asked about; at most 50. */
  holdingRuns: string[];
}

export interface LeftoversReport {
  released: number;
  /** At most 10. */
  names: string[];
  warnings: string[];
}
