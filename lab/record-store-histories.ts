import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RestoreInput } from '../contracts/jobs.js';
import { workflowQueue, workflowTypes } from '../contracts/names.js';
import { noise } from '../test/support/content.js';
import { startEstate } from '../test/support/estate.js';
import { runIn, saysItWaitsFor } from '../test/support/run-watch.js';
import { record } from './record.js';

/** Records the histories of runs that work on several stores side by side, each with leases of its own; see record-histories.ts. */

const estate = await startEstate({
  change: (config) => {
    const { vault } = config.stores;
    const beside = (name: string) => ({
      restic: { ...vault.restic, repository: `${vault.restic.repository} ${name}` },
    });
    Object.assign(config.stores, { attic: beside('two'), cellar: beside('three') });
    const job = config.jobs['photos-offsite'];
    job.keep = { last: 1 };
    const { store: _, ...ofSeveral } = job;
    config.jobs.both = { ...ofSeveral, stores: ['attic', 'vault'] };
    config.stores.unmade = beside('four');
    config.jobs.half = { ...config.jobs.both, stores: ['unmade', 'vault'] };
    config.jobs.uploaded = {
      kind: 'restic-backup',
      resources: ['photos'],
      stores: ['cellar', 'vault'],
      seeding: { portion: '20MB' },
    };
  },
});
const run = async (...args: string[]): Promise<string> => {
  const { stdout, stderr } = await estate.holdfast('run', ...args, '--follow');
  process.stdout.write(`${stdout}${stderr}`);
  return runIn(stdout);
};
/** A restore from this store that is left with its question. */
async function askToRestore(store: string, minute: number): Promise<string> {
  const workflowId = `both.restore-2026-11-20T03:0${minute}:00Z`;
  const target = join(estate.folder, `restores/${minute}`);
  const limits = { deadHostAfterMs: 5_000, retryForMs: 60_000, giveUpAfterMs: 3_600_000 };
  const input: RestoreInput = {
    job: 'both',
    resource: 'photos',
    host: 'nas',
    store,
    target,
    paths: [],
    limits,
  };
  const options = { workflowId, taskQueue: workflowQueue, args: [input] };
  await estate.client.workflow.start(workflowTypes.restoreRestic, options);
  await saysItWaitsFor(estate, workflowId, 'an answer');
  return workflowId;
}
const operations = [
  ['backupRestic'],
  ['checkRestic', '--only', 'check'],
  ['pruneRestic', '--only', 'prune'],
] as const;
try {
  mkdirSync(join(estate.source, 'folder'));
  writeFileSync(join(estate.source, 'folder', 'a'), noise(1_000_000, 1));
  for (const store of ['vault', 'attic', 'cellar']) await estate.holdfast('init-store', store);
  for (const [type, ...only] of operations)
    await record(estate, type, 'each-store-by-itself', await run('both', ...only));
  await record(estate, 'backupRestic', 'one-of-two-stores-failed', await run('half'));

  const asking = [await askToRestore('attic', 1), await askToRestore('vault', 2)];
  const waiting = runIn((await estate.holdfast('run', 'both', '--only', 'prune')).stdout);
  for (const restore of asking) await saysItWaitsFor(estate, waiting, restore);
  for (const restore of asking) await estate.holdfast('deny', restore);
  await record(estate, 'pruneRestic', 'each-store-waited-by-itself', waiting);

  await run('uploaded');
  for await (const { workflowId } of estate.client.workflow.list({ query: "HfJob = 'uploaded'" }))
    if (workflowId.includes('.seed-')) await estate.client.workflow.getHandle(workflowId).result();
  await record(estate, 'backupRestic', 'beside-uploads-each-store-by-itself', await run('uploaded'));
} finally {
  await estate.stop();
}
