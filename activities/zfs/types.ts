/** What one `zfs list` of a tree says, as plain data. Numbers that may pass 2^53 (guids) stay text. */

export interface Snapshot {
  /** Without the dataset: what stands after "@". */
  name: string;
  guid: string;
  /** The order in which a pool made things; times can be equal or wrong, this cannot. */
  createtxg: number;
  /** Seconds since 1970. */
  creationS: number;
  /** How many holds there are. Their tags cost a second command, so they are asked only where this is not 0. */
  holds: number;
  usedBytes: number;
  /** Written since the snapshot before it: what an incremental stream up to it carries at most. */
  writtenBytes: number;
  /** All that it holds: what a full stream of it carries at most. */
  referencedBytes: number;
  /** Our user properties: which run and which job made it. Absent on other people's snapshots. */
  run: string | undefined;
  job: string | undefined;
}

export interface Bookmark {
  /** Without the dataset: what stands after "#". */
  name: string;
  guid: string;
  createtxg: number;
  creationS: number;
}

export interface Dataset {
  name: string;
  type: 'filesystem' | 'volume';
  guid: string;
  createtxg: number;
  /** undefined when it is not encrypted. */
  encryption: string | undefined;
  encryptionRoot: string | undefined;
  keyStatus: string | undefined;
  origin: string | undefined;
  resumeToken: string | undefined;
  readonly: string | undefined;
  canmount: string | undefined;
  mountpoint: string | undefined;
  mounted: boolean;
  keyLocation: string | undefined;
  usedBytes: number;
  availableBytes: number;
  writtenBytes: number;
  /** Our user property on a replica: the guid of the dataset that it is a copy of. Children inherit it, so only an equal guid says something. */
  replicaOf: string | undefined;
  /** Our user property on the root of either side after a failover, inherited by what lies below; see role.ts. */
  role?: string | undefined;
  /** Oldest first, by createtxg. */
  snapshots: Snapshot[];
  /** Oldest first, by createtxg. */
  bookmarks: Bookmark[];
}

/** One host's tree, by dataset name, parents before children. */
export type Listing = ReadonlyMap<string, Dataset>;
