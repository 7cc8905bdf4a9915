import { jobOf } from './lookup.js';
import type { Config, JobConfig } from './schema.js';

/** What a human can have a job do by hand: `holdfast do JOB ACTION`. Pure: the table behind help, checks and compiling. */

export type ActionName =
  | 'park'
  | 'roll-back'
  | 'release-leftovers'
  | 'undelete'
  | 'replace-disk'
  | 'rebuild-parity'
  | 'failover'
  | 'failback';

export interface ActionSetting {
  name: string;
  summary: string;
  example: string;
  required?: true;
}

export interface Action {
  name: ActionName;
  /** What it does, in words that an operator knows. */
  summary: string;
  settings: readonly ActionSetting[];
}

const releaseLeftovers: Action = {
  name: 'release-leftovers',
  summary:
    'let go of the holds and bookmarks that jobs, stores and resources have left which are in the file no more, and of what forgotten runs hold',
  settings: [
    {
      name: 'unknown',
      summary:
        '"release": also what nobody on the host remembers to have made; only where no other holdfast.yaml replicates these datasets, or backs them up',
      example: 'release',
    },
  ],
};

const actionsOfKind: Record<JobConfig['kind'], readonly Action[]> = {
  'restic-backup': [],
  'zfs-snapshot': [releaseLeftovers],
  'zfs-scrub': [],
  'snapraid-maintenance': [
    {
      name: 'undelete',
      summary: 'bring files back that were deleted since the last sync',
      settings: [
        {
          name: 'path',
          summary: 'a file or a folder, as it lay in the array',
          example: 'Films/Alien (1979)',
          required: true,
        },
        { name: 'array', summary: 'which array, where the job has several', example: 'media' },
      ],
    },
    {
      name: 'replace-disk',
      summary: 'rebuild a dead data disk on a new one that is mounted in its place',
      settings: [
        { name: 'disk', summary: 'its name in snapraid.conf', example: 'd2', required: true },
        {
          name: 'check',
          summary:
            'full: read everything first, to name each file that would be lost; takes as long as the rebuild',
          example: 'full',
        },
        { name: 'array', summary: 'which array, where the job has several', example: 'media' },
      ],
    },
    {
      name: 'rebuild-parity',
      summary: 'compute a lost parity anew on a new disk that is mounted in its place',
      settings: [
        {
          name: 'parity',
          summary: 'parity, 2-parity, … as in snapraid.conf',
          example: 'parity',
          required: true,
        },
        { name: 'array', summary: 'which array, where the job has several', example: 'media' },
      ],
    },
  ],
  'zfs-replication': [
    {
      name: 'park',
      summary: 'rename replicas aside that cannot be continued; the next run copies them anew',
      settings: [],
    },
    {
      name: 'roll-back',
      summary: 'take replicas that others wrote to back to the newest snapshot that both sides have',
      settings: [
        {
          name: 'dataset',
          summary: 'only this one, by its name on either side',
          example: 'backup/kubernetes/pvc-1',
        },
      ],
    },
    releaseLeftovers,
    {
      name: 'failover',
      summary: 'make the replica the one in use, after a last catch-up where the source lives',
      settings: [
        {
          name: 'source',
          summary:
            'what you know of a source that does not answer: "off", it is switched off or cut off for good and writes nothing; "lost", its machine answers but its pool is gone for good',
          example: 'off',
        },
        {
          name: 'unused',
          summary:
            'stores whose machines do not answer, separated by commas, of whose replicas you know that they are not in use',
          example: 'offsite',
        },
        { name: 'store', summary: 'which replica, where the job has several stores', example: 'grogu' },
      ],
    },
    {
      name: 'failback',
      summary: 'bring everything back to the source, incrementally, and make that the one in use again',
      settings: [
        { name: 'store', summary: 'which replica, where the job has several stores', example: 'grogu' },
      ],
    },
  ],
};

/** In the order in which they are listed. Throws HF_NOT_IN_CONFIG for a job that is not there. */
export const actionsOf = (config: Config, job: string): readonly Action[] =>
  actionsOfKind[jobOf(config, job).kind];
