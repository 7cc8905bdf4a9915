import { z } from 'zod';
import { DiskName } from './schema-array.js';
import { operationTiming, Promised, patience, Schedule } from './schema-timing.js';
import { atLeast, count, Duration, Name, Size, wordsFor } from './values.js';

/** The job that keeps the parity of SnapRAID arrays. */

const percent = (description: string, example: number) =>
  z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe(description)
    .meta({ examples: [example] });

const limit = (what: string, files: number, share: number) =>
  z
    .strictObject({
      files: z
        .number()
        .int()
        .min(0)
        .optional()
        .describe('More than so many are asked about')
        .meta({ examples: [files] }),
      percent: percent('More than this share of the files are asked about', share),
    })
    .optional()
    .describe(what)
    .meta({ examples: [{ files, percent: share }] });

const limits = {
  removed: limit('Files that are gone; without it 50 files or 10 % of the array', 50, 10),
  updated: limit(
    'Files whose content was changed in place; without it 200 files or 20 % of the array',
    200,
    20,
  ),
  moved: limit('Files that have another name or folder; without it 1000 files', 1000, 50),
  restored: limit('Files with another inode or time, but the same content; without it 1000 files', 1000, 50),
  relocated: limit('Files that lie on another disk now; without it 1000 files', 1000, 50),
};

const DiskLimits = z.strictObject(limits);

const defaults = {
  removed: { files: 50, percent: 10 },
  updated: { files: 200, percent: 20 },
  moved: { files: 1000 },
  restored: { files: 1000 },
  relocated: { files: 1000 },
};

const Thresholds = z
  .strictObject({
    ...limits,
    perDisk: DiskLimits.prefault({ removed: { percent: 25 }, updated: { percent: 50 } }).describe(
      'The same for each disk by itself, and nothing but what is said here; without it 25 % removed or 50 % updated',
    ),
    disks: z
      .record(DiskName, DiskLimits)
      .prefault({})
      .describe('Instead of "perDisk", for single disks by their names in snapraid.conf'),
    ignore: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Files that are not counted; * stands for any part of a name, ** for any depth. Without / the name alone is looked at',
      )
      .meta({ examples: [['*.nfo', 'Downloads/**']] }),
  })
  .transform((given) => ({ ...defaults, ...given }));

const stepNames = ['touch', 'sync', 'scrub', 'smart'] as const;

const window = z
  .string({ error: wordsFor('must be two times of day, as in 22:00-06:00') })
  .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, 'must be two times of day, as in 22:00-06:00')
  .optional();

export const SnapraidMaintenance = z
  .strictObject({
    kind: z.literal('snapraid-maintenance').describe('Keep the parity of a SnapRAID array up to date'),
    resources: z
      .array(Name)
      .min(1)
      .describe('The arrays, one after the other')
      .meta({ examples: [['media']] }),
    steps: z
      .array(z.enum(stepNames))
      .min(1)
      .refine((steps) => new Set(steps).size === steps.length, 'names a step twice')
      .refine((steps) => steps.includes('sync'), 'needs "sync"')
      .optional()
      .describe(
        'What a run does, in this order; the status and the guards always come first. Without it: touch, sync, scrub (if "scrub" has no schedule of its own), smart',
      )
      .meta({ examples: [['touch', 'sync', 'smart']] }),
    thresholds: Thresholds.prefault({}).describe(
      'More change than this is not synced before a human has seen and approved it. A disk without files and files that shrank to nothing are always asked about',
    ),
    approveWithin: atLeast('5s', 'a human needs time')
      .prefault('20h')
      .describe('No answer within so long is a no; nothing is paused meanwhile')
      .meta({ examples: ['20h'] }),
    due: z
      .strictObject({
        age: atLeast('1m', 'a sync needs time')
          .prefault('20h')
          .describe('When the newest complete sync is older, whatever has changed')
          .meta({ examples: ['20h'] }),
        files: count('Or when so many files have changed', 500),
        bytes: Size.optional()
          .describe('Or when so many bytes are new or changed')
          .meta({ examples: ['100GiB'] }),
        quietFor: Duration.prefault('10m')
          .describe('And nothing of it was written for so long: who still writes is not disturbed')
          .meta({ examples: ['10m'] }),
      })
      .optional()
      .describe(
        'When a sync is worth it, for a schedule of every hour: a run that finds that it is not ends at once, and does not count as a sync. Without it every run syncs',
      ),
    prehash: z
      .boolean()
      .default(true)
      .describe('Read new files twice before parity is written, against memory that lies (sync -h)')
      .meta({ examples: [true] }),
    pause: z
      .strictObject({
        units: z
          .array(z.string().regex(/^[^-\s][^\s]*$/, 'is not the name of a unit'))
          .default([])
          .describe('systemd units that are stopped; those that did not run stay stopped')
          .meta({ examples: [['smbd.service']] }),
        containers: z
          .array(z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'is not the name of a container'))
          .default([])
          .describe('Containers that are paused; those that did not run are left alone')
          .meta({ examples: [['jellyfin']] }),
        stop: z
          .boolean()
          .default(false)
          .describe('Stop the containers instead of pausing them')
          .meta({ examples: [true] }),
        hooks: z
          .array(Name)
          .default([])
          .describe('Hooks of the host, by name; what they change is undone afterwards')
          .meta({ examples: [['read-only']] }),
      })
      .prefault({})
      .describe('What writes to the array, kept away while a sync runs and given back as it was'),
    scrub: z
      .strictObject({
        ...operationTiming,
        cron: operationTiming.cron.optional(),
        percent: z
          .number()
          .int()
          .min(1)
          .max(100)
          .default(8)
          .describe('So much of the array is read each time')
          .meta({ examples: [8] }),
        olderThan: Duration.prefault('10d')
          .describe('Only blocks that were last read longer ago')
          .meta({ examples: ['10d'] }),
        everyBlockWithin: atLeast('1d', 'an array is not read in a moment')
          .optional()
          .describe('Each block is read at least this often: more than "percent" is read when that needs it')
          .meta({ examples: ['120d'] }),
      })
      .prefault({})
      .describe('How the array is read by and by; with a schedule of its own it is an operation of its own'),
    window: window
      .describe(
        "Hours in which a run may begin its work, in the schedule's time zone. A scrub is stopped at their end, and the next one goes on with what was read longest ago; a sync that has begun always goes on to its end",
      )
      .meta({ title: 'two times of day', examples: ['01:00-08:00'] }),
    spinDown: z
      .boolean()
      .default(false)
      .describe('Send the disks to sleep after the run (snapraid down)')
      .meta({ examples: [true] }),
    schedule: Schedule.optional().describe('When it runs; without it only by hand'),
    objective: z
      .strictObject({
        rpo: Promised.optional()
          .describe('How old the newest complete sync may be')
          .meta({ examples: ['26h'] }),
        scrub: Promised.optional()
          .describe('How old the newest scrub without errors may be')
          .meta({ examples: ['10d'] }),
      })
      .prefault({})
      .describe('What is promised; status and alarms measure against it'),
    ...patience('6h'),
  })
  .refine((job) => job.objective.scrub === undefined || job.scrub.cron !== undefined, {
    message: 'promises something that nothing does by itself: give "scrub" a "cron"',
    path: ['objective', 'scrub'],
  });
