import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaseId, storeLease } from '../contracts/names.js';
import { noise } from '../test/support/content.js';
import { startEstate } from '../test/support/estate.js';
import { runIn } from '../test/support/run-watch.js';
import { record } from './record.js';

/** Records the histories of first uploads that have runs of their own, and of runs whose leases end with them; see record-histories.ts. */

const estate = await startEstate({
  change: (config) => {
    const { vault } = config.stores;
    config.stores.attic = { restic: { ...vault.restic, repository: `${vault.restic.repository} two` } };
    config.jobs.uploaded = {
      kind: 'restic-backup',
      resources: ['photos'],
      stores: ['vault', 'attic'],
      seeding: { portion: '2MB' },
    };
    config.stores.cellar = { restic: { ...vault.restic, repository: `${vault.restic.repository} three` } };
    config.resources.papers = { ...config.resources.photos };
    config.jobs.both = {
      kind: 'restic-backup',
      resources: ['photos', 'papers'],
      store: 'cellar',
      seeding: { portion: '20MB' },
    };
  },
});
const run = async (...args: string[]): Promise<string> => {
  const { stdout, stderr } = await estate.holdfast('run', ...args, '--follow');
  process.stdout.write(`${stdout}${stderr}`);
  return runIn(stdout);
};
const uploads = async (job = 'uploaded'): Promise<string[]> => {
  const found: string[] = [];
  for await (const { workflowId } of estate.client.workflow.list({ query: `HfJob = '${job}'` }))
    if (workflowId.includes('.seed-')) found.push(workflowId);
  return found;
};
try {
  for (let number = 0; number < 3; number += 1) {
    mkdirSync(join(estate.source, `${number}`));
    writeFileSync(join(estate.source, `${number}`, 'a'), noise(1_900_000, number));
  }
  for (const store of ['vault', 'attic', 'cellar']) await estate.holdfast('init-store', store);
  await record(estate, 'backupRestic', 'left-to-uploads', await run('uploaded'));
  const [upload = ''] = await uploads();
  await record(estate, 'backupRestic', 'first-upload', upload);
  for (const other of await uploads()) await estate.client.workflow.getHandle(other).result();
  await record(estate, 'backupRestic', 'beside-uploads', await run('uploaded'));
  await record(estate, 'backupRestic', 'leases-end-with-it', await run('photos-offsite'));
  await record(estate, 'holdLease', 'ended-with-its-run', leaseId(storeLease('vault')));
  await record(estate, 'checkRestic', 'leases-end-with-it', await run('photos-offsite', '--only', 'check'));
  await run('both');
  const [two = ''] = await uploads('both');
  await record(estate, 'backupRestic', 'first-upload-of-two-resources', two);
} finally {
  await estate.stop();
}
