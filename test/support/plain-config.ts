import { join } from 'node:path';

// biome-ignore lint/suspicious/noExplicitAny: tests change any key of the file, right ones and wrong ones
export type PlainConfig = any;

export interface PlainPlaces {
  folder: string;
  source: string;
  repository: string;
  /** Of Temporal; undefined leaves it to the environment. */
  address: string | undefined;
}

/** One host with one job, as the object that becomes holdfast.yaml. */
export const plainConfig = ({ folder, source, repository, address }: PlainPlaces): PlainConfig => ({
  temporal: { ...(address && { address }), namespace: 'holdfast', deadHostAfter: '10s' },
  hosts: { nas: { restore: [join(folder, 'restores')] } },
  resources: { photos: { host: 'nas', directory: source } },
  stores: { vault: { restic: { repository, password: { file: join(folder, 'password') } } } },
  jobs: {
    'photos-offsite': {
      kind: 'restic-backup',
      resources: ['photos'],
      store: 'vault',
      schedule: { cron: '30 3 * * *', timezone: 'Europe/Berlin' },
      keep: { daily: 7 },
      objective: { rpo: '26h' },
    },
  },
});
