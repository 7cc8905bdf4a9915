import type { Command } from '../../system/host.js';

/** One question for a whole tree: what there is to know of it costs one remote command, whatever the number of datasets. */

/**
 * Our user properties: which run and which job made a snapshot; which dataset (by guid) a replica is a copy of; which side is in use
 * after a failover; and how a dataset was set before it had to stand by.
 */
export const ownProperties = {
  run: 'holdfast:run',
  job: 'holdfast:job',
  replicaOf: 'holdfast:replica-of',
  role: 'holdfast:role',
  before: 'holdfast:before',
} as const;

/** All of them are known since 0.8.0: a property that a version does not know makes it refuse the whole question. */
export const listColumns = [
  'name',
  'type',
  'guid',
  'createtxg',
  'creation',
  'used',
  'userrefs',
  ownProperties.run,
  ownProperties.job,
  'available',
  'written',
  'referenced',
  ownProperties.replicaOf,
  ownProperties.role,
  'encryption',
  'encryptionroot',
  'keystatus',
  'keylocation',
  'origin',
  'receive_resume_token',
  'readonly',
  'canmount',
  'mountpoint',
  'mounted',
] as const;

export type ListColumn = (typeof listColumns)[number];

export type ListedType = 'filesystem' | 'volume' | 'snapshot' | 'bookmark';

export interface ListRequest {
  /** Datasets (or pools) that are asked for with all that lies below them. */
  roots: readonly string[];
  /** Default: all four. */
  types?: readonly ListedType[];
  /** Only so many levels below the roots. A snapshot is one level below its dataset: 1 is the dataset with its snapshots and bookmarks. */
  depth?: number;
}

/** Asks for the trees below some datasets. Names may hold spaces; none begins with "-", so that they are never taken for options. */
export function listCommand(zfs: string, { roots, types, depth }: ListRequest): Command {
  const wanted = types ?? ['filesystem', 'volume', 'snapshot', 'bookmark'];
  const below = depth === undefined ? ['-r'] : ['-d', String(depth)];
  return zfsCommand(zfs, [
    'list',
    '-Hp',
    ...below,
    '-t',
    wanted.join(','),
    '-o',
    listColumns.join(','),
    ...roots,
  ]);
}

/** Its complaints are read, so they are asked for in one language. */
export const zfsCommand = (file: string, args: readonly string[]): Command => ({
  file,
  args,
  env: { LC_ALL: 'C' },
});
