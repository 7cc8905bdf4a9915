import ms from 'ms';
import { z } from 'zod';
import { SnapraidMaintenance } from './schema-snapraid.js';
import { operationTiming, Promised, patience, periods, Schedule } from './schema-timing.js';
import { ZfsReplication, ZfsScrub, ZfsSnapshot } from './schema-zfs.js';
import { Duration, Name, Size, wordsFor } from './values.js';

/** The verbs of holdfast.yaml: what a job does, when, and what it promises. */

const Keep = z
  .strictObject(periods)
  .refine(
    (keep) => Object.values(keep).some((count) => count !== undefined),
    'must keep something: say at least one of last, hourly, daily, weekly, monthly, yearly',
  );

const unusedWords = 'must be a percentage such as 5%, a size such as 500M, or "unlimited"';

const seedingDefaults = { portion: 32 * 2 ** 30, noProgressAfter: ms('12h') };

const Seeding = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        portion: Size.prefault('32GiB')
          .describe('So much of the source is uploaded at a time; checks and restores get in between')
          .meta({ examples: ['32GiB'] }),
        noProgressAfter: Duration.prefault('12h')
          .describe('The first upload is overdue when nothing has moved for so long')
          .meta({ examples: ['12h'] }),
      }),
    ],
    { error: 'must be true, or { portion: SIZE, noProgressAfter: DURATION }' },
  )
  .transform((seeding) => (seeding === true ? seedingDefaults : seeding || undefined))
  .meta({ title: 'true, or portion and noProgressAfter' });

const ResticBackup = z
  .strictObject({
    kind: z.literal('restic-backup').describe('Back up folders to restic repositories'),
    resources: z
      .array(Name)
      .min(1)
      .describe('What is backed up')
      .meta({ examples: [['photos']] }),
    store: Name.optional()
      .describe('Where to; or "stores" for several')
      .meta({ examples: ['b2-photos'] }),
    stores: z
      .array(Name)
      .min(1)
      .optional()
      .describe('Where to, one after the other; each is tried by itself')
      .meta({ examples: [['b2-photos', 'usb']] }),
    fromSnapshotsOf: Name.optional()
      .describe(
        'For datasets: read the newest snapshot of this zfs-snapshot job; without it a snapshot is taken for the run',
      )
      .meta({ examples: ['photos-daily'] }),
    exclude: z
      .array(z.string().min(1))
      .default([])
      .describe('Patterns that are left out, as restic takes them')
      .meta({ examples: [['*.tmp', '@eaDir']] }),
    seeding: Seeding.optional()
      .describe(
        'The first upload takes days: it goes portion by portion (32GiB) in a run of its own for each store, beside the backups to stores that have a copy; until there is one, the alarm is "no progress" (for 12h) and not age. Other values: { portion: 8GiB, noProgressAfter: 6h }',
      )
      .meta({ examples: [true] }),
    schedule: Schedule.optional().describe('When the backup runs; without it only by hand'),
    keep: Keep.optional().describe('Which copies retention keeps; without it nothing is ever removed'),
    prune: z
      .strictObject({
        ...operationTiming,
        maxUnused: z
          .string({ error: wordsFor(unusedWords) })
          .regex(/^(\d+(\.\d+)?(%|[kKmMgGtT])|unlimited)$/, unusedWords)
          .meta({ title: 'percentage, size or unlimited' })
          .default('5%')
          .describe('How much unused data may stay in the repository')
          .meta({ examples: ['5%'] }),
      })
      .optional()
      .describe('When retention is applied and space is freed'),
    check: z
      .strictObject({
        ...operationTiming,
        parts: z
          .number()
          .int()
          .min(1)
          .max(256)
          .optional()
          .describe(
            'Each check reads one part of so many, by turns; without it only the structure is checked',
          )
          .meta({ examples: [30] }),
      })
      .optional()
      .describe('When the repository is checked'),
    objective: z
      .strictObject({
        rpo: Promised.optional()
          .describe('How old the newest good copy may be')
          .meta({ examples: ['26h'] }),
        check: Promised.optional()
          .describe('How old the newest clean check may be')
          .meta({ examples: ['35d'] }),
        prune: Promised.optional()
          .describe('How long ago retention may have run')
          .meta({ examples: ['15d'] }),
      })
      .prefault({})
      .describe('What is promised; status and alarms measure against it'),
    ...patience('6h'),
  })
  .refine((job) => (job.store === undefined) !== (job.stores === undefined), {
    message: 'needs exactly one of "store" and "stores"',
    path: ['store'],
  })
  .refine((job) => job.prune === undefined || job.keep !== undefined, {
    message: 'needs "keep": without it there is nothing to remove',
    path: ['prune'],
  });

/** One form for each kind of job. */
export const Job = z.discriminatedUnion('kind', [
  ResticBackup,
  ZfsSnapshot,
  ZfsReplication,
  ZfsScrub,
  SnapraidMaintenance,
]);
