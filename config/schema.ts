import { z } from 'zod';
import { Job } from './schema-jobs.js';
import { Channel } from './schema-notifications.js';
import { Host, Temporal } from './schema-places.js';
import { Resource } from './schema-resource.js';
import { Store } from './schema-stores.js';
import { Name } from './values.js';

/** The shape of holdfast.yaml. Descriptions and examples feed the editor's schema, the reference page and `explain`. */

const named = <T extends z.ZodType>(value: T) => z.record(Name, value);

export const ConfigFile = z.strictObject({
  temporal: Temporal.prefault({}).describe('Where the engine is'),
  hosts: named(Host).describe('Machines, by name'),
  resources: named(Resource).prefault({}).describe('What is protected, by name'),
  stores: named(Store).prefault({}).describe('Where copies are kept, by name'),
  jobs: named(Job).prefault({}).describe('What is done, by name'),
  notifications: named(Channel)
    .optional()
    .describe('Who is told when a run asks something or does not end well, by the name of the channel'),
});

export type Config = z.output<typeof ConfigFile>;
export type HostConfig = Config['hosts'][string];
export type ResourceConfig = Config['resources'][string];
export type StoreConfig = Config['stores'][string];
export type ResticStore = NonNullable<StoreConfig['restic']>;
export type ZfsStore = NonNullable<StoreConfig['zfs']>;
export type ChannelConfig = NonNullable<Config['notifications']>[string];
export type JobConfig = Config['jobs'][string];
export type ResticBackupJob = Extract<JobConfig, { kind: 'restic-backup' }>;
export type ZfsScrubJob = Extract<JobConfig, { kind: 'zfs-scrub' }>;
export type ZfsSnapshotJob = Extract<JobConfig, { kind: 'zfs-snapshot' }>;
export type ZfsReplicationJob = Extract<JobConfig, { kind: 'zfs-replication' }>;
export type SnapraidJob = Extract<JobConfig, { kind: 'snapraid-maintenance' }>;
export type SnapraidArrayConfig = NonNullable<ResourceConfig['snapraid']>;
