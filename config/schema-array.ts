import { z } from 'zod';
import { AbsolutePath, count, Name } from './values.js';

/** A SnapRAID array as a resource: what is looked at before anything is done with it. */

/** Names of disks in snapraid.conf; what begins with a dash would be an option. */
const diskForm = /^[^-\s:][^\s:]*$/;
/** As snapraid.conf has it. */
export const DiskName = z.string().regex(diskForm, 'is not the name of a disk in snapraid.conf');

const Marker = z
  .string()
  .min(1)
  .regex(/^[^/].*$/, 'must be relative to the disk')
  .optional();

const ArrayDisk = z.strictObject({
  marker: Marker.describe('Another marker than that of the array').meta({ examples: ['.disk-1'] }),
  leastFiles: count('Fewest files on this disk', 100),
});

const Share = z.strictObject({
  samba: z
    .string()
    .regex(/^[^\s/\\:*?"<>|,-][^/\\:*?"<>|,\p{C}]*$/u, 'is not the name of a share')
    .describe('Its name, as in smb.conf')
    .meta({ examples: ['media'] }),
  address: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.:_-]*$/, 'is not an address')
    .default('127.0.0.1')
    .describe('Where Samba answers, as seen from the host of the array')
    .meta({ examples: ['192.168.1.20'] }),
  port: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(445)
    .describe('Its port')
    .meta({ examples: [445] }),
  credentials: AbsolutePath.optional()
    .describe(
      'A file on the host with "username = …" and "password = …" (smbclient -A); without it as a guest',
    )
    .meta({ examples: ['/etc/holdfast/samba'] }),
  silent: z
    .enum(['warn', 'refuse'])
    .default('warn')
    .describe(
      'When it does not answer before the work: warn, or refuse to begin. Afterwards it is always a warning',
    )
    .meta({ examples: ['refuse'] }),
});

export const SnapraidArray = z.strictObject({
  config: AbsolutePath.default('/etc/snapraid.conf')
    .describe('Its configuration file on the host')
    .meta({ examples: ['/etc/snapraid.conf'] }),
  mounted: z
    .boolean()
    .default(true)
    .describe('Every data and parity disk must be mounted; false only where folders of one disk are an array')
    .meta({ examples: [true] }),
  marker: Marker.describe(
    'A file in the folder of every data disk that proves that the right disk is there; without it nothing is synced',
  ).meta({ examples: ['.holdfast'] }),
  leastFiles: count('Fewest files on every data disk; a disk with less looks emptied', 10),
  disks: z
    .record(DiskName, ArrayDisk)
    .prefault({})
    .describe('What holds for single data disks, by their names in snapraid.conf'),
  copies: z
    .strictObject({
      host: Name.describe('The host that keeps them: not the one with the array').meta({
        examples: ['nas'],
      }),
      folder: AbsolutePath.optional()
        .describe('Folder there; without it one in our own folder on that host')
        .meta({ examples: ['/mnt/tank/snapraid'] }),
    })
    .optional()
    .describe(
      'Where snapraid.conf, fstab, the identities of the disks and a content file are copied after each complete sync',
    ),
  share: Share.optional().describe(
    'A Samba share of the array that must answer, before a run and after it: paused services that did not come back are noticed',
  ),
  pool: AbsolutePath.optional()
    .describe('The mergerfs mount over the data disks: it must be mounted and hold all of them')
    .meta({ examples: ['/mnt/mergerfs'] }),
});
