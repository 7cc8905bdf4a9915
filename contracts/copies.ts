/** What `holdfast copies` asks a host and is told. Only add optional fields. */

export interface ListCopiesInput {
  /** The worker that reads the stores; what was proved is known on the resource's own host alone. */
  host: string;
  stores: { store: string; resources: string[] }[];
  /** How many of the newest copies of each resource in each store. */
  limit: number;
  /** Snapshots of ZFS that the host can look at. */
  datasets?: DatasetCopies[];
}

/** Of one job and resource: the snapshots on its own pool, or with a store the replica there. */
export interface DatasetCopies {
  job: string;
  resource: string;
  store?: string;
}

/** Under which name the answer stands. */
export const copiesName = ({ resource, store }: DatasetCopies): string => store ?? `snapshots of ${resource}`;

export interface ListDatasetCopiesStep extends DatasetCopies {
  limit: number;
  /** See ListCopiesStep. */
  maxCharacters: number;
}

export interface ListCopiesStep {
  store: string;
  resources: string[];
  limit: number;
  /** The answer is kept in a history: older copies are left off until it fits. */
  maxCharacters: number;
}

/** `unknown`: this host is not the one that would know. */
export type ProofState = 'proved' | 'not proved' | 'refused' | 'unknown';

export interface KnownCopy {
  resource: string;
  job: string;
  run: string;
  snapshot: string;
  /** ISO 8601 UTC. */
  restorePoint: string;
  files?: number;
  bytes?: number;
  /** A part of an unfinished first upload: it holds what was uploaded until then, and is never taken by itself. */
  isPart?: boolean;
  proof: ProofState;
  /** ISO 8601 UTC: when it was last proved, by its making or by a restore of it. */
  provedAt?: string;
  provedBy?: 'backup' | 'restore';
  /** The host that made it, where it is not the one that the resource is on: retention leaves it alone. */
  madeBy?: string;
  /** The newest good one of its job: retention does not touch it. */
  held: boolean;
}

export interface StoreCopies {
  store: string;
  /** Newest first. */
  copies: KnownCopy[];
  /** Older ones that were left off. */
  more: number;
  /** Why the store could not be read; then nothing else is known. */
  error?: { code: string; message: string };
}
