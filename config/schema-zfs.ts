import { z } from 'zod';
import { Promised, patience, periods, Schedule } from './schema-timing.js';
import { atLeast, Name, Size, wordsFor } from './values.js';

/** The jobs that ZFS itself does: snapshots and scrubs. */

const resources = (description: string, example: string) =>
  z
    .array(Name)
    .min(1)
    .describe(description)
    .meta({ examples: [[example]] });

const nameWords =
  'must hold {time}, and besides it only a-z, A-Z, 0-9, "_", "-", "." and {job}, beginning with a letter or digit';

/** "auto-…" is how TrueNAS calls its own: its retention removes what fits its naming schema, whoever made it. */
const SnapshotName = z
  .string({ error: wordsFor(nameWords) })
  .max(120, 'must be at most 120 characters: dataset and snapshot together may have 255')
  .regex(/^(?=.*\{time\})(?:[a-zA-Z0-9]|\{job\}|\{time\})(?:[a-zA-Z0-9_.-]|\{job\}|\{time\})*$/, nameWords)
  .refine(
    (name) => !/^auto[-_]/i.test(name),
    'begins like the snapshots of TrueNAS, whose retention would remove them',
  )
  .meta({ title: 'name with {time}' });

const Keep = z
  .strictObject({
    ...periods,
    within: atLeast('1m', 'nothing lives shorter')
      .optional()
      .describe('Everything that is younger than this')
      .meta({ examples: ['48h'] }),
  })
  .refine(
    (keep) => Object.values(keep).some((rule) => rule !== undefined),
    'must keep something: say at least one of last, hourly, daily, weekly, monthly, yearly, within',
  );

const hooks = (description: string, example: string) =>
  z
    .array(Name)
    .default([])
    .describe(description)
    .meta({ examples: [[example]] });

export const ZfsSnapshot = z.strictObject({
  kind: z.literal('zfs-snapshot').describe('Take snapshots of ZFS datasets and remove old ones'),
  resources: resources(
    'The datasets, all on one host; those of one pool are taken in one moment',
    'kubernetes',
  ),
  name: SnapshotName.default('holdfast_{job}_{time}')
    .describe('What the snapshots are called; {time} is UTC, as in 2026-11-20_03-00-00Z')
    .meta({ examples: ['holdfast_{job}_{time}'] }),
  before: hooks(
    'Hooks of the host that run before, by name; what they change is undone afterwards',
    'checkpoint',
  ),
  after: hooks('Hooks of the host that run after the snapshots were taken', 'tell'),
  schedule: Schedule.optional().describe('When snapshots are taken; without it only by hand'),
  keep: Keep.optional().describe(
    'Which snapshots of this job stay; without it nothing is ever removed. Applied after each run, to what the job itself made',
  ),
  objective: z
    .strictObject({
      rpo: Promised.optional()
        .describe('How old the newest snapshot may be')
        .meta({ examples: ['2h'] }),
    })
    .prefault({})
    .describe('What is promised; status and alarms measure against it'),
  ...patience('6h'),
});

export const ZfsScrub = z.strictObject({
  kind: z.literal('zfs-scrub').describe('Read a ZFS pool as a whole and repair what is damaged'),
  resources: resources('The pools', 'fast-pool'),
  schedule: Schedule.optional().describe('When a scrub begins; without it only by hand'),
  window: z
    .string({ error: wordsFor('must be two times of day, as in 22:00-06:00') })
    .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, 'must be two times of day, as in 22:00-06:00')
    .optional()
    .describe("Hours in which it works, in the schedule's time zone; outside of them the scrub is paused")
    .meta({ title: 'two times of day', examples: ['22:00-06:00'] }),
  objective: z
    .strictObject({
      scrub: Promised.optional()
        .describe('How old the newest scrub without errors may be')
        .meta({ examples: ['35d'] }),
    })
    .prefault({})
    .describe('What is promised; status and alarms measure against it'),
  ...patience('12h'),
});

export const ZfsReplication = z
  .strictObject({
    kind: z.literal('zfs-replication').describe('Copy snapshots of ZFS datasets to another pool'),
    resources: resources('The datasets', 'kubernetes'),
    store: Name.optional()
      .describe('Where to: a store with "zfs"; or "stores" for several')
      .meta({ examples: ['grogu'] }),
    stores: z
      .array(Name)
      .min(1)
      .optional()
      .describe('Where to; each lags by itself and waits for no other')
      .meta({ examples: [['grogu', 'offsite']] }),
    snapshots: z
      .enum(['ours', 'all'])
      .default('ours')
      .describe(
        'ours: the snapshots that Holdfast takes to keep them (zfs-snapshot jobs, and the last one before a failover), not those that a backup takes to read from. all: every snapshot there is, whoever took it',
      )
      .meta({ examples: ['all'] }),
    catchUp: z
      .enum(['every', 'newest'])
      .default('every')
      .describe('After a pause: through every snapshot in between, or straight to the newest')
      .meta({ examples: ['newest'] }),
    encrypted: z
      .enum(['raw', 'required', 'plain'])
      .default('raw')
      .describe(
        'raw: encrypted datasets travel encrypted, without their key. required: others do not travel at all. plain: encrypted ones are sent readable',
      )
      .meta({ examples: ['required'] }),
    keep: Keep.optional().describe(
      'Which snapshots that the job has brought to the target stay there; without it nothing is ever removed. Applied after each run. What the target would not keep does not travel',
    ),
    parallel: z
      .number()
      .int()
      .min(1)
      .max(16)
      .default(2)
      .describe(
        'Streams at the same time; above 2 only where the pools say that they take so many (hosts.NAME.pools)',
      )
      .meta({ examples: [4] }),
    compress: z
      .union([z.boolean(), z.literal('auto', { error: wordsFor('must be true, false or "auto"') })])
      .default(false)
      .describe(
        'Compress on the wire with zstd, for data that lies uncompressed. true: both hosts must have it, or nothing is sent; auto: where both have it',
      )
      .meta({ title: 'true, false or "auto"', examples: ['auto'] }),
    buffer: Size.refine(
      (bytes) => bytes >= 2 ** 20 && bytes <= 4 * 2 ** 30,
      'must be between 1MiB and 4GiB: each stream takes it on both hosts',
    )
      .optional()
      .describe(
        'So much of each stream waits in memory on either side of the wire (mbuffer, where both hosts have it): neither end stands still while the other one pauses. Not with "limit"',
      )
      .meta({ examples: ['128MiB'] }),
    limit: Size.optional()
      .describe(
        'Bytes a second for each stream at most; needs mbuffer or pv on one of both hosts: "doctor" looks for it, and without one nothing is sent',
      )
      .meta({ examples: ['10MiB'] }),
    noProgressAfter: atLeast('10s', 'a pool that is busy may be silent for so long')
      .prefault('15m')
      .describe('A stream that moves nothing for so long is ended, and gone on with where it was')
      .meta({ examples: ['1h'] }),
    failover: z
      .strictObject({
        stop: hooks(
          'Hooks of the host of the resources (one for all of them), by name: they stop what writes there before the replica takes over; undone when it is brought back',
          'stop-apps',
        ),
        start: hooks(
          "Hooks of the store's host, by name: they start on the replica what was stopped; undone before it is brought back",
          'start-apps',
        ),
      })
      .prefault({})
      .describe('What "holdfast do JOB failover" and "failback" run besides')
      .meta({ examples: [{ stop: ['stop-apps'], start: ['start-apps'] }] }),
    schedule: Schedule.optional().describe('When it runs; without it only by hand'),
    objective: z
      .strictObject({
        rpo: Promised.optional()
          .describe('How old the newest state on the target may be')
          .meta({ examples: ['3h'] }),
      })
      .prefault({})
      .describe('What is promised; status and alarms measure against it'),
    ...patience('6h'),
  })
  .refine((job) => (job.store === undefined) !== (job.stores === undefined), {
    message: 'needs exactly one of "store" and "stores"',
    path: ['store'],
  })
  .refine(({ buffer, limit }) => buffer === undefined || limit === undefined, {
    message: 'helps nothing beside "limit", which is what holds the stream back: take one of both out',
    path: ['buffer'],
  });
