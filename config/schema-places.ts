import { z } from 'zod';
import { endOfIds } from '../contracts/id-map.js';
import { datasetForm } from '../contracts/names.js';
import { poolForm } from './schema-resource.js';
import { AbsolutePath, atLeast, Name, Percentage, wordsFor } from './values.js';

/** The nouns of holdfast.yaml: where the engine is, and the machines; what is protected and where copies are kept have files of their own. */

const port = (description: string, preset: number) =>
  z
    .number()
    .int()
    .min(1)
    .max(65535)
    .default(preset)
    .describe(description)
    .meta({ examples: [preset] });

const Embedded = z.strictObject({
  port: port('Port of the embedded server on 127.0.0.1', 7233),
  uiPort: port('Port of the Web UI on 127.0.0.1', 8233),
});

export const Temporal = z
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

/** ssh takes what begins with a dash for an option. */
const sshWord = z
  .string()
  .min(1)
  .regex(/^[^-\s][^\s]*$/, 'must not begin with a dash nor hold blanks');

const SshFile = AbsolutePath.regex(/^[^"\n]*$/, 'must not hold quotes: ssh could not read it').optional();

const Ssh = z.strictObject({
  address: sshWord.describe('Name or address').meta({ examples: ['192.168.1.20'] }),
  port: port('Port of its ssh server', 22),
  user: sshWord.describe('User to log in as').meta({ examples: ['holdfast'] }),
  via: Name.optional()
    .describe('Host whose worker drives this one; without it the host runs its own worker')
    .meta({ examples: ['nas'] }),
  jump: Name.optional()
    .describe('Host to go through (ProxyJump)')
    .meta({ examples: ['nas'] }),
  key: SshFile.describe(
    "Private key without a passphrase, on the machine of the worker; default ~/.ssh/id_ed25519 of the worker's user",
  ).meta({ examples: ['/etc/holdfast/ssh/id_ed25519'] }),
  knownHosts: SshFile.describe(
    "File with the keys of hosts; a key that is not in it is refused. Default ~/.ssh/known_hosts of the worker's user",
  ).meta({ examples: ['/etc/holdfast/ssh/known_hosts'] }),
  sudo: z
    .array(z.string().regex(/^[A-Za-z0-9._+-]+$/, 'must be the name of a program, without a folder'))
    .default([])
    .describe('Programs that are started with "sudo -n", where the user is not root')
    .meta({ examples: [['zfs', 'zpool']] }),
  folder: AbsolutePath.optional()
    .describe(
      'Our own folder on the host: locks, cache of restic, unfinished restores. Default /var/lib/holdfast for root, else /var/tmp/holdfast-USER',
    )
    .meta({ examples: ['/mnt/fast/holdfast'] }),
});

const HookCommand = z.array(z.string().min(1)).min(1);

const Hook = z.strictObject({
  run: HookCommand.describe('The program and its arguments; no shell reads them').meta({
    examples: [['psql', '-c', 'CHECKPOINT']],
  }),
  undo: HookCommand.optional()
    .describe('What puts back what it changed; must be safe to run twice, and when "run" has failed')
    .meta({ examples: [['docker', 'unpause', 'db']] }),
  timeout: atLeast('1s', 'a program needs time')
    .prefault('5m')
    .describe('Both are ended after so long, and have failed then')
    .meta({ examples: ['5m'] }),
});

const ProveOff = z.strictObject({
  command: HookCommand.describe(
    'The program and its arguments; no shell reads them. It ends with 0 only where the host is off for certain, with anything else where it is on or nobody knows',
  ).meta({ examples: [['/etc/holdfast/is-off', 'din']] }),
  timeout: atLeast('1s', 'a program needs time')
    .prefault('30s')
    .describe('It is ended after so long, and has proved nothing then')
    .meta({ examples: ['30s'] }),
});

const untilWords = 'must be a day or a time in UTC, as in 2026-12-24 or 2026-12-24T18:00Z';

const untilForm = /^\d{4}-\d{2}-\d{2}(T([01]\d|2[0-3]):[0-5]\dZ)?$/;

/** A date that does not exist is taken for one of the next month. */
const isDay = (day: string): boolean => new Date(day).toJSON()?.startsWith(day) === true;

const Away = z.strictObject({
  until: z
    .string({ error: wordsFor(untilWords) })
    .regex(untilForm, untilWords)
    .refine((text) => !untilForm.test(text) || isDay(text.slice(0, 10)), 'is no day of the calendar')
    .transform((text) => Date.parse(text))
    .meta({ title: 'day or time' })
    .describe('When it is expected back: at the beginning of this day, UTC, or at this time')
    .meta({ examples: ['2026-12-24'] }),
  because: z
    .string()
    .min(1)
    .max(100, 'must be at most 100 characters')
    .regex(/^\P{Cc}*$/u, 'must be one line')
    .describe('Why, in words: shown wherever the host would be missed')
    .meta({ examples: ['waits for its switch'] }),
});

const Pool = z.strictObject({
  streams: z
    .number()
    .int()
    .min(1)
    .max(16)
    .optional()
    .describe(
      'So many replication streams may read from the pool or write to it at the same time, over all jobs and hosts; a restore is never kept waiting. Without it only 2 transfers run at a time on the host that drives them',
    )
    .meta({ examples: [4] }),
  floor: Percentage.prefault('2%')
    .describe(
      'So much of the pool stays free: below it no snapshot is taken and nothing is received, and bookmarks take the place of snapshots that only copies that lag still need. From twice as much on runs warn',
    )
    .meta({ examples: ['2%'] }),
  lagging: Percentage.prefault('10%')
    .describe(
      'So much of the pool may be used by snapshots that are kept only for copies that lag; beyond it bookmarks take their place',
    )
    .meta({ examples: ['10%'] }),
});

/** Every restore on the host reads its ranges: one that cannot be would stop them all. */
function goesBeyondIds(range: string): boolean {
  const [from = 0, to = 0, count = 0] = range
    .replace(/^[ug]id=/, '')
    .split(':')
    .map(Number);
  return Math.max(from, to) + count > endOfIds;
}

export const Host = z.strictObject({
  ssh: Ssh.optional().describe('How the host is reached over ssh'),
  restore: z
    .array(AbsolutePath)
    .default([])
    .describe('Folders below which restores may write, besides /tmp and the state folder')
    .meta({ examples: [['/mnt/restore']] }),
  restoreDatasets: z
    .array(
      z
        .string()
        .max(200, 'must be at most 200 characters')
        .regex(
          datasetForm,
          'is not the name of a ZFS dataset: write it as "zfs list" does, without a leading /',
        ),
    )
    .optional()
    .describe(
      'ZFS datasets below which restores may make new ones, besides "DATASET-restored…" beside a resource',
    )
    .meta({ examples: [['fast/restored']] }),
  mapIds: z
    .array(
      z
        .string()
        .regex(/^(uid=|gid=)?\d{1,10}:\d{1,10}:[1-9]\d{0,9}$/, 'must be FROM:TO:COUNT, uid=… or gid=…')
        .refine((range) => !goesBeyondIds(range), `goes beyond ${endOfIds - 1}, the last id there is`),
    )
    .optional()
    .describe('Owners that "holdfast restore --map-ids" may map on this host: FROM:TO:COUNT, uid=… or gid=…')
    .meta({ examples: [['0:100000:65536']] }),
  tools: z
    .strictObject({
      restic: AbsolutePath.optional()
        .describe('Path of restic')
        .meta({ examples: ['/opt/restic/restic'] }),
      zfs: AbsolutePath.optional()
        .describe('Path of zfs')
        .meta({ examples: ['/usr/sbin/zfs'] }),
      zpool: AbsolutePath.optional()
        .describe('Path of zpool')
        .meta({ examples: ['/usr/sbin/zpool'] }),
      snapraid: AbsolutePath.optional()
        .describe('Path of snapraid')
        .meta({ examples: ['/usr/local/bin/snapraid'] }),
      smartctl: AbsolutePath.optional()
        .describe('Path of smartctl')
        .meta({ examples: ['/usr/sbin/smartctl'] }),
    })
    .prefault({})
    .describe('Paths of programs that are not on PATH')
    .meta({ examples: [{ restic: '/opt/restic/restic' }] }),
  away: Away.optional().describe(
    'The host is known to be away, or not there yet: until then runs that need it are skipped at once and nothing is overdue; after it all is as before',
  ),
  pools: z
    .record(z.string().regex(poolForm, 'is not the name of a ZFS pool'), Pool)
    .optional()
    .describe(
      'How full its ZFS pools may become and how many streams they take, by the name of the pool; those that are not named have the defaults',
    )
    .meta({ examples: [{ bulk: { floor: '1%' } }] }),
  proveOff: ProveOff.optional().describe(
    'How it is proved that this host is off, before a replica takes its place: by its management port or its socket, say. It runs on the worker of the replica when the host does not answer; without it a human says so with "--set source=off"',
  ),
  hooks: z
    .record(Name, Hook)
    .optional()
    .describe('Programs that jobs may run on this host before or after their work, by name')
    .meta({ examples: [{ checkpoint: { run: ['psql', '-c', 'CHECKPOINT'] } }] }),
});
