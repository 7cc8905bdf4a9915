import { z } from 'zod';
import { datasetForm } from '../contracts/names.js';
import { SnapraidArray } from './schema-array.js';
import { AbsolutePath, count, Name, Size } from './values.js';

/** What is protected: a folder, a ZFS dataset, a ZFS pool or a SnapRAID array. */

const Least = z.strictObject({
  files: count('Fewest files', 1000),
  bytes: Size.optional()
    .describe('Fewest bytes')
    .meta({ examples: ['1GiB'] }),
});

export const poolForm = /^[a-zA-Z][a-zA-Z0-9_.: -]*$/;

const patterns = (description: string, example: string) =>
  z
    .array(
      z
        .string()
        .min(1)
        .regex(/^[^/].*[^/]$|^[^/]$/, 'is relative to the dataset: without / at either end'),
    )
    .default([])
    .describe(description)
    .meta({ examples: [[example]] });

export const Resource = z
  .strictObject({
    host: Name.describe('Host that holds it').meta({ examples: ['nas'] }),
    directory: AbsolutePath.optional()
      .describe('The folder; a resource is exactly one of "directory", "dataset", "pool" and "snapraid"')
      .meta({ examples: ['/srv/photos'] }),
    dataset: z
      .string()
      .max(200, 'must be at most 200 characters')
      .regex(
        datasetForm,
        'is not the name of a ZFS dataset: write it as "zfs list" does, without a leading /',
      )
      .optional()
      .describe('The ZFS dataset or zvol, with all that lies below it')
      .meta({ examples: ['fast/kubernetes'] }),
    pool: z
      .string()
      .max(200, 'must be at most 200 characters')
      .regex(poolForm, 'is not the name of a ZFS pool')
      .optional()
      .describe('The ZFS pool as a whole, for scrubs')
      .meta({ examples: ['fast'] }),
    snapraid: SnapraidArray.optional().describe('The SnapRAID array, with all its disks'),
    mount: AbsolutePath.optional()
      .describe(
        'Where the machine that drives the host over ssh has this dataset mounted (NFS, SMB): backups run there and read below .zfs/snapshot. Without it, they run on the host itself',
      )
      .meta({ examples: ['/mnt/din/photos'] }),
    recursive: z
      .boolean()
      .default(true)
      .describe('With the datasets below "dataset"; false takes it alone')
      .meta({ examples: [false] }),
    include: patterns(
      'Only these datasets below "dataset" and all below them; * stands for any part of a name, ** for any depth',
      'pvc-*',
    ),
    exclude: patterns('Datasets below "dataset" that are left out, with all below them', 'pvc-scratch-*'),
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
      .describe(
        'Allow "holdfast restore --in-place" onto this folder or dataset; what is there is moved aside first',
      )
      .meta({ examples: [true] }),
    least: Least.prefault({}).describe(
      'What the folder must hold at least; less looks emptied and stops the run',
    ),
  })
  .refine((resource) => formsOf(resource).length === 1, {
    message: 'needs exactly one of "directory", "dataset", "pool" and "snapraid"',
    path: ['directory'],
  });

const formsOf = (resource: { directory?: string; dataset?: string; pool?: string; snapraid?: object }) =>
  [resource.directory, resource.dataset, resource.pool, resource.snapraid].filter(
    (form) => form !== undefined,
  );
