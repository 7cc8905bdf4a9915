import ms from 'ms';
import { z } from 'zod';
import { namePattern } from '../contracts/names.js';
import { cronMistake } from './cron.js';
import { atLeast, Duration, EnvironmentValue, SecretReference, Size, wordsFor } from './values.js';
import { zoneMistake } from './zone.js';

/** The shape of holdfast.yaml. Descriptions and examples feed the editor's schema, the reference page and `explain`. */

const Name = z
  .string()
  .regex(namePattern, 'must be 1 to 63 of the characters a-z, 0-9 and "-": it goes into ids and tags')
  .meta({ title: 'name' });
const named = <T extends z.ZodType>(value: T) => z.record(Name, value);
const absolutePath = z.string().startsWith('/', 'must be an absolute path').meta({ title: 'absolute path' });

const Embedded = z.strictObject({
  port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .default(7233)
    .describe('Port of the embedded server on 127.0.0.1')
    .meta({ examples: [7233] }),
  uiPort: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .default(8233)
    .describe('Port of the Web UI on 127.0.0.1')
    .meta({ examples: [8233] }),
});

const Temporal = z
  .strictObject({
    address: z
      .string()
      .optional()
      .describe('host:port of a Temporal cluster; without it the embedded server of "holdfast up"')
      .meta({ examples: ['temporal.lan:7233'] }),
    namespace: z
      .string()
      .min(1)
      .default('holdfast')
      .describe('Namespace for everything of Holdfast')
      .meta({ examples: ['holdfast'] }),
    embedded: Embedded.prefault({}).describe('The server that "holdfast up" starts on this machine'),
    deadHostAfter: atLeast('1s', 'a worker needs time to give a sign')
      .prefault('10m')
      .describe('A worker that gives no sign for so long is taken for dead, and its step is done again')
      .meta({ examples: ['10m'] }),
  })
  .refine((temporal) => temporal.embedded.port !== temporal.embedded.uiPort, {
    message: 'port and uiPort must differ',
    path: ['embedded'],
  });

const Ssh = z.strictObject({
  address: z
    .string()
    .min(1)
    .describe('Name or address')
    .meta({ examples: ['192.168.1.20'] }),
  port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .default(22)
    .describe('Port of its ssh server')
    .meta({ examples: [22] }),
  user: z
    .string()
    .min(1)
    .describe('User to log in as')
    .meta({ examples: ['holdfast'] }),
  via: Name.optional()
    .describe('Host whose worker drives this one; without it the host runs its own worker')
    .meta({ examples: ['nas'] }),
  jump: Name.optional()
    .describe('Host to go through (ProxyJump)')
    .meta({ examples: ['nas'] }),
});

const Host = z.strictObject({
  ssh: Ssh.optional().describe('How the host is reached over ssh'),
  restore: z
    .array(absolutePath)
    .default([])
    .describe('Folders below which restores may write, besides /tmp and the state folder')
    .meta({ examples: [['/mnt/restore']] }),
  tools: z
    .strictObject({
      restic: absolutePath
        .optional()
        .describe('Path of restic')
        .meta({ examples: ['/opt/restic/restic'] }),
    })
    .prefault({})
    .describe('Paths of programs that are not on PATH')
    .meta({ examples: [{ restic: '/opt/restic/restic' }] }),
});

const Least = z.strictObject({
  files: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe('Fewest files')
    .meta({ examples: [1000] }),
  bytes: Size.optional()
    .describe('Fewest bytes')
    .meta({ examples: ['1GiB'] }),
});

const Resource = z.strictObject({
  host: Name.describe('Host that holds it').meta({ examples: ['nas'] }),
  directory: absolutePath.describe('The folder').meta({ examples: ['/srv/photos'] }),
  marker: z
    .string()
    .min(1)
    .regex(/^[^/].*$/, 'must be relative to the directory')
    .optional()
    .describe('A file in the folder that proves that the right disk is there; no run starts without it')
    .meta({ examples: ['.holdfast'] }),
  mounted: z
    .boolean()
    .default(false)
    .describe('The folder must be a mount point')
    .meta({ examples: [true] }),
  least: Least.prefault({}).describe(
    'What the folder must hold at least; less looks emptied and stops the run',
  ),
});

const Restic = z.strictObject({
  repository: z
    .string()
    .min(1)
    .regex(/^(?!.*:\/\/[^/@]*:[^/@]*@)/, 'holds a password: put it under env or in a file instead')
    .regex(
      /^(\/|[a-z0-9]+:.)/,
      'must be an absolute path, or begin with what restic calls the backend: s3:, b2:, sftp:, rest:, rclone:',
    )
    .describe('Address of the repository, as restic takes it')
    .meta({ examples: ['s3:https://s3.example.com/bucket'] }),
  password: SecretReference.describe('Where the password of the repository is').meta({
    examples: [{ file: '/etc/holdfast/b2-photos.key' }],
  }),
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'holds something that is not the name of a variable'),
      EnvironmentValue,
    )
    .default({})
    .describe('Environment of restic: credentials of the store, by reference')
    .meta({ examples: [{ AWS_ACCESS_KEY_ID: { file: '/etc/holdfast/b2.id' } }] }),
  limits: z
    .strictObject({
      uploadKiBps: z
        .number()
        .int()
        .min(1)
        .optional()
        .describe('Upload limit in KiB/s')
        .meta({ examples: [20000] }),
      downloadKiBps: z
        .number()
        .int()
        .min(1)
        .optional()
        .describe('Download limit in KiB/s')
        .meta({ examples: [50000] }),
      readConcurrency: z
        .number()
        .int()
        .min(1)
        .max(64)
        .optional()
        .describe('Files read at the same time (restic 0.15 and newer)')
        .meta({ examples: [2] }),
    })
    .prefault({})
    .describe('What restic may use'),
});

const Store = z.strictObject({ restic: Restic.describe('A restic repository') });

/** The message of a check that has its own words for each mistake. */
const judged = (mistakeOf: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = mistakeOf(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

export const timing = {
  timezone: judged(zoneMistake)
    .meta({ title: 'time zone' })
    .describe('Time zone of the schedule')
    .meta({ examples: ['Europe/Berlin'] }),
  jitter: Duration.describe('Starts are spread over so long').meta({ examples: ['5m'] }),
  catchup: atLeast('10s', 'the server knows nothing shorter')
    .describe('A start that was missed is made up for within so long')
    .meta({
      examples: ['12h'],
    }),
  overlap: z
    .enum(['skip', 'buffer-one'])
    .describe('A start that falls due while the last run still goes on: left out, or one kept for afterwards')
    .meta({ examples: ['skip'] }),
};
const Cron = judged(cronMistake)
  .meta({ title: 'cron line' })
  .describe('Minute, hour, day of month, month, day of week')
  .meta({ examples: ['30 3 * * *'] });

const Schedule = z.strictObject({
  cron: Cron,
  timezone: timing.timezone.default('UTC'),
  jitter: timing.jitter.prefault('1m'),
  catchup: timing.catchup.prefault('12h'),
  overlap: timing.overlap.default('skip'),
});

/** For an operation of a job that has no schedule to take them from. */
export const timingDefaults = {
  timezone: 'UTC',
  jitter: ms('1m'),
  catchup: ms('12h'),
  overlap: 'skip',
} as const;

/** An operation's own schedule: what it does not say is taken from the job's. */
const asInJob = "; without it as in the job's schedule";
const operationTiming = {
  cron: Cron,
  timezone: timing.timezone.describe(`Time zone of the schedule${asInJob}`).optional(),
  jitter: timing.jitter.describe(`Starts are spread over so long${asInJob}`).optional(),
  catchup: timing.catchup
    .describe(`A start that was missed is made up for within so long${asInJob}`)
    .optional(),
  overlap: timing.overlap
    .describe(`A start that falls due while the last run still goes on${asInJob}`)
    .optional(),
};

const Keep = z
  .strictObject({
    last: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('So many newest copies')
      .meta({ examples: [3] }),
    hourly: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('The last copy of so many hours')
      .meta({ examples: [24] }),
    daily: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('The last copy of so many days')
      .meta({ examples: [7] }),
    weekly: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('The last copy of so many weeks')
      .meta({ examples: [5] }),
    monthly: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('The last copy of so many months')
      .meta({ examples: [12] }),
    yearly: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('The last copy of so many years')
      .meta({ examples: [3] }),
  })
  .refine(
    (keep) => Object.values(keep).some((count) => count !== undefined),
    'must keep something: say at least one of last, hourly, daily, weekly, monthly, yearly',
  );

const Promised = atLeast('1m', 'nothing can be younger');
const unusedWords = 'must be a percentage such as 5%, a size such as 500M, or "unlimited"';

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
    exclude: z
      .array(z.string().min(1))
      .default([])
      .describe('Patterns that are left out, as restic takes them')
      .meta({ examples: [['*.tmp', '@eaDir']] }),
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
    retryFor: Duration.prefault('6h')
      .describe('An outage is waited for so long, counted from the last progress')
      .meta({ examples: ['6h'] }),
    giveUpAfter: atLeast('1m', 'no backup is faster')
      .prefault('30d')
      .describe('The longest that one step may take')
      .meta({ examples: ['30d'] }),
  })
  .refine((job) => (job.store === undefined) !== (job.stores === undefined), {
    message: 'needs exactly one of "store" and "stores"',
    path: ['store'],
  })
  .refine((job) => job.prune === undefined || job.keep !== undefined, {
    message: 'needs "keep": without it there is nothing to remove',
    path: ['prune'],
  });

export const Job = z.discriminatedUnion('kind', [ResticBackup]);

export const ConfigFile = z.strictObject({
  temporal: Temporal.prefault({}).describe('Where the engine is'),
  hosts: named(Host).describe('Machines, by name'),
  resources: named(Resource).prefault({}).describe('What is protected, by name'),
  stores: named(Store).prefault({}).describe('Where copies are kept, by name'),
  jobs: named(Job).prefault({}).describe('What is done, by name'),
});

export type Config = z.output<typeof ConfigFile>;
export type HostConfig = Config['hosts'][string];
export type ResourceConfig = Config['resources'][string];
export type ResticStore = Config['stores'][string]['restic'];
export type JobConfig = Config['jobs'][string];
export type ResticBackupJob = Extract<JobConfig, { kind: 'restic-backup' }>;
