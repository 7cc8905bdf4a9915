import { z } from 'zod';
import { endOfIds } from '../contracts/id-map.js';
import { AbsolutePath, atLeast, count, EnvironmentValue, Name, SecretReference, Size } from './values.js';

/** The nouns of holdfast.yaml: where the engine is, the machines, what is protected and where copies are kept. */

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

const Ssh = z.strictObject({
  address: z
    .string()
    .min(1)
    .describe('Name or address')
    .meta({ examples: ['192.168.1.20'] }),
  port: port('Port of its ssh server', 22),
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
    })
    .prefault({})
    .describe('Paths of programs that are not on PATH')
    .meta({ examples: [{ restic: '/opt/restic/restic' }] }),
});

const Least = z.strictObject({
  files: count('Fewest files', 1000),
  bytes: Size.optional()
    .describe('Fewest bytes')
    .meta({ examples: ['1GiB'] }),
});

export const Resource = z.strictObject({
  host: Name.describe('Host that holds it').meta({ examples: ['nas'] }),
  directory: AbsolutePath.describe('The folder').meta({ examples: ['/srv/photos'] }),
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
  restoreInPlace: z
    .boolean()
    .default(false)
    .describe('Allow "holdfast restore --in-place" onto this folder; what is there is moved aside first')
    .meta({ examples: [true] }),
  least: Least.prefault({}).describe(
    'What the folder must hold at least; less looks emptied and stops the run',
  ),
});

const Restic = z.strictObject({
  repository: z
    .string()
    .min(1)
    // Whatever stands before an @ of a web address is a credential; restic prints the address in its errors.
    .regex(
      /^(?!.*https?:\/\/[^?#]*@)(?!.*:\/\/[^/@]*:[^/@]*@)/,
      'holds a password: put it under env (RESTIC_REST_USERNAME, RESTIC_REST_PASSWORD, AWS_…) or in a file instead',
    )
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
  appendOnly: z
    .boolean()
    .default(false)
    .describe('The server refuses to delete, on purpose: backups go on, retention is skipped and says so')
    .meta({ examples: [true] }),
  limits: z
    .strictObject({
      uploadKiBps: count('Upload limit in KiB/s', 20000),
      downloadKiBps: count('Download limit in KiB/s', 50000),
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

export const Store = z.strictObject({ restic: Restic.describe('A restic repository') });
