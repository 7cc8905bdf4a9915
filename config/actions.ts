import { jobOf } from './lookup.js';
import type { Config, JobConfig } from './schema.js';

/** What a human can have a job do by hand: `holdfast do JOB ACTION`. Pure: the table behind help, checks and compiling. */

export type ActionName = 'park';

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

const actionsOfKind: Record<JobConfig['kind'], readonly Action[]> = {
  'restic-backup': [],
  'zfs-snapshot': [],
  'zfs-scrub': [],
  'zfs-replication': [
    {
      name: 'park',
      summary: 'rename replicas aside that cannot be continued; the next run copies them anew',
      settings: [],
    },
  ],
};

/** In the order in which they are listed. Throws HF_NOT_IN_CONFIG for a job that is not there. */
export const actionsOf = (config: Config, job: string): readonly Action[] =>
  actionsOfKind[jobOf(config, job).kind];
