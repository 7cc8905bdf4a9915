import type { OtherReplica } from './failover-others.js';
import type { OffProof } from './failover-proof.js';
import type { DatasetPlan } from './replicate-types.js';
import type { Sides } from './role.js';
import type { SavedSharing } from './sharing.js';
import type { Dataset, Listing } from './types.js';

/** What is seen of both sides before a failover is planned, and what of it would become writable: plain data. */

export type SourceSeen = { state: 'answers'; listing: Listing } | { state: 'lost' | 'silent'; words: string };

export interface FailoverFacts {
  run: string;
  resource: string;
  store: string;
  settings: Readonly<Record<string, string>>;
  sides: Sides;
  sourceRoot: string;
  targetRoot: string;
  source: SourceSeen;
  target: Listing;
  /** Only where the source answers. */
  plans?: readonly DatasetPlan[];
  saved?: SavedSharing;
  /** Only of a source that is silent, and where the configuration says how. */
  proof?: OffProof;
  /** Mount points of the source that are taken on the replica's machine. */
  occupied: readonly string[];
  hooks: { stop: readonly string[]; start: readonly string[] };
  others: readonly OtherReplica[];
}

/** Which datasets of the replica become writable, and which stay as they are. */
export interface Promotion {
  live: Dataset[];
  kept: Dataset[];
}
