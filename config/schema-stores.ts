import { z } from 'zod';
import { datasetForm } from '../contracts/names.js';
import { count, EnvironmentValue, Name, SecretReference } from './values.js';

/** Where copies are kept: repositories, and places for replicas. */

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
      /^(?!rclone:.*,[^,=:]*(pass|secret|key|token)[^,=:]*=)(?!(rest|s3):[^?]*\?)/i,
      'may hold a secret: what follows "?" or stands as "…key=" in the address is shown in plans and in the Web UI; put it into rclone.conf, or under env',
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

const ReplicaPlace = z.strictObject({
  host: Name.describe('Host that holds it').meta({ examples: ['grogu'] }),
  dataset: z
    .string()
    .max(150, 'must be at most 150 characters')
    .regex(datasetForm, 'is not the name of a ZFS dataset: write it as "zfs list" does, without a leading /')
    .describe('The dataset below which replicas lie, each named after its resource; it must be there')
    .meta({ examples: ['backup'] }),
});

export const Store = z
  .strictObject({
    restic: Restic.optional().describe('A restic repository; a store is exactly one of "restic" and "zfs"'),
    zfs: ReplicaPlace.optional().describe('A place for replicas on a pool'),
  })
  .refine(({ restic, zfs }) => (restic === undefined) !== (zfs === undefined), {
    message: 'needs exactly one of "restic" and "zfs"',
    path: ['restic'],
  });
