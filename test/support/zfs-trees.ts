import type { DatasetPlan, ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import type { Bookmark, Dataset, Listing, Snapshot } from '../../activities/zfs/types.js';
import type { ReplicationLook } from '../../contracts/replication.js';

/** Small trees as a listing would tell them. */

/** Everybody's snapshots, each of them, encrypted as they are: what most tests replicate by. */
export const wholePolicy: ReplicationPolicy = {
  destination: 'grogu.k',
  snapshots: 'all',
  catchUp: 'every',
  encrypted: 'raw',
  excludes: () => false,
};

export const snapshot = (name: string, createtxg: number, more: Partial<Snapshot> = {}): Snapshot => ({
  name,
  guid: String(1_000_000 + createtxg),
  createtxg,
  creationS: 1_795_000_000 + createtxg,
  holds: 0,
  usedBytes: 0,
  writtenBytes: 0,
  referencedBytes: 0,
  run: undefined,
  job: undefined,
  ...more,
});

export const bookmark = (name: string, createtxg: number, guid: string): Bookmark => ({
  name,
  guid,
  createtxg,
  creationS: 1_795_000_000 + createtxg,
});

export const dataset = (
  name: string,
  more: Partial<Dataset> = {},
  snapshots: readonly Snapshot[] = [],
): Dataset => ({
  name,
  type: 'filesystem',
  guid: `9${[...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1e12, 7)}`,
  createtxg: 1,
  encryption: undefined,
  encryptionRoot: undefined,
  keyStatus: undefined,
  origin: undefined,
  resumeToken: undefined,
  readonly: 'off',
  canmount: 'on',
  mountpoint: `/${name}`,
  mounted: true,
  keyLocation: undefined,
  usedBytes: 0,
  availableBytes: 0,
  writtenBytes: 0,
  replicaOf: undefined,
  snapshots: [...snapshots],
  bookmarks: [],
  ...more,
});

export const listingOf = (datasets: readonly Dataset[]): Listing =>
  new Map([...datasets].sort((a, b) => (a.name < b.name ? -1 : 1)).map((one) => [one.name, one]));

/** What the last look of a replication says that has nothing more to send. */
export const provedLook: ReplicationLook = {
  groups: 0,
  counts: {},
  bytes: 0,
  stopped: [],
  stoppedCount: 0,
  behind: [],
  behindCount: 0,
  notes: [],
  warnings: [],
  proved: { datasets: 2, digest: 'abc', restorePoint: '2026-11-20T03:00:00.000Z' },
};

/** One stream of a whole dataset, or the rest of one. */
export const planFor = (name: string, bytes: number, resume?: DatasetPlan['resume']): DatasetPlan => ({
  kind: resume ? 'resume' : 'full',
  reason: '',
  source: `fast/${name}`,
  target: `backup/${name}`,
  type: 'filesystem',
  guid: '7',
  raw: false,
  behind: 1,
  segments: [{ from: undefined, to: 'one', toGuid: '11', intermediates: false, bytes }],
  holds: ['one'],
  bytes,
  level: 0,
  ...(resume && { resume }),
});
