import type { KeepRules } from './retention.js';
import type { Listing } from './types.js';

/** What a plan of a replication is made of and what it says: plain data, kept whole in the state folder. */

export interface ReplicationPolicy {
  /** The store's name: cursors and holds are named after it, so that several destinations do not know of each other. */
  destination: string;
  /** Whose snapshots travel: those that carry our run, or everybody's. */
  snapshots: 'ours' | 'all';
  /** With `ours`: jobs that take snapshots only to read from them, and remove them again. */
  takenToRead?: ReadonlySet<string>;
  /** After a pause: through every snapshot in between, or straight to the newest. */
  catchUp: 'every' | 'newest';
  /** `raw`: encrypted datasets travel encrypted. `required`: others do not travel at all. `plain`: encrypted ones are sent readable. */
  encrypted: 'raw' | 'required' | 'plain';
  /** True for a dataset (its name below the root, "" for the root) that is not replicated, with all below it. */
  excludes(below: string): boolean;
  /** True for one that travels only where something that is meant lies below it. */
  onlyLeads?(below: string): boolean;
  /** What retention keeps on the target; without it everything. What it would remove at once need not travel. */
  keep?: KeepRules;
  /** In which the rules' days begin; default UTC. */
  timezone?: string | undefined;
  /** `none`: no cursor stays on the source and no fence on the target, as when a replica is sent back once. Default: both are kept. */
  marks?: 'none';
  /** Only what has its encryption root within the source tree travels encrypted: a replica may merely lie in an encrypted pool. */
  onlyOwnKeys?: boolean;
}

/** What `zfs send -nvt` says of a token. */
export interface TokenFacts {
  toGuid: string;
  /** dataset@snapshot, as it was called when the stream began. */
  toName: string;
  /** Absent for a full stream. */
  fromGuid?: string;
  raw: boolean;
  /** What has arrived. */
  bytesDone: number;
}

/** What is known of a token. */
export interface TokenReading {
  facts?: TokenFacts;
  /** Why ZFS can never go on with it, in its own words. */
  hopeless?: string;
  /** Why nothing can be said of it for now: it is neither gone on with nor given up. */
  unread?: string;
}

export interface PlanInput {
  source: Listing;
  sourceRoot: string;
  target: Listing;
  targetRoot: string;
  policy: ReplicationPolicy;
  /** By target dataset; every resume token of the listing that was read. */
  tokens?: ReadonlyMap<string, TokenReading>;
  /** Tokens that were tried often enough. */
  givenUp?: ReadonlySet<string>;
}

/** Where an incremental stream begins. */
export interface Base {
  kind: 'snapshot' | 'bookmark';
  name: string;
  guid: string;
  createtxg: number;
  creationS: number;
}

/** One stream. */
export interface Segment {
  /** undefined: a full stream. */
  from: Base | undefined;
  to: string;
  toGuid: string;
  /** With every snapshot in between (-I). */
  intermediates: boolean;
  /** At most so much is written by it, by what the listing says. */
  bytes: number;
}

export type PlanKind =
  | 'nothing'
  | 'full'
  | 'incremental'
  | 'resume'
  /** Made after the newest snapshot of the tree: it comes with the next one. */
  | 'young'
  /** Not yet: nothing to send, or its parent must come first. */
  | 'wait'
  /** Someone wrote to the replica or rolled it back, or its source was re-created or rolled back: only with an approval. */
  | 'diverged'
  /** Not made by us: only with an approval. */
  | 'foreign'
  /** The replica was received in another encryption mode, or this dataset may not travel readable. */
  | 'encryption'
  /** A volume here, a file system there. */
  | 'type'
  /** Gone on the source; the replica is kept. */
  | 'gone'
  /** Put aside by an earlier approval; kept. */
  | 'parked'
  | 'excluded';

export interface DatasetPlan {
  kind: PlanKind;
  /** In words, with names. */
  reason: string;
  /** "" when only the target has it. */
  source: string;
  target: string;
  type: 'filesystem' | 'volume';
  /** The guid of the source dataset. */
  guid: string;
  raw: boolean;
  /** The newest snapshot that both sides have, by guid. */
  common?: Base;
  /** Newer snapshots on the source that should be on the target. */
  behind: number;
  /** Sent in this order. */
  segments: Segment[];
  /** Source snapshots that must not vanish until the receiver was read back. */
  holds: string[];
  /** At most, of all segments. */
  bytes: number;
  resume?: { token: string; toName: string; toGuid: string; bytesDone: number };
  /** Why partially received state is given up first. */
  abandon?: string;
  /** Why nothing is known of partially received state, which waits. */
  unread?: string;
  /** It is renamed first, from this name: that which it has once everything above it is renamed. */
  renameFrom?: string;
  /** What the listing of the target calls the replica, where that is not `target`: it, or something above it, is renamed first. */
  presentName?: string;
  /** 0 when its parent is on the target; else one more than its parent's. */
  level: number;
  /** Snapshots of the target that a roll-back would destroy. */
  loses?: string[];
}
