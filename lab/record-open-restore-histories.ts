import { join } from 'node:path';
import type { RestoreInput } from '../contracts/jobs.js';
import { copiesLeases, leaseId, workflowQueue, workflowTypes } from '../contracts/names.js';
import { startHoldfast } from '../test/support/children.js';
import { makeTree } from '../test/support/data.js';
import { startEstate } from '../test/support/estate.js';
import { runIn, saysItWaitsFor } from '../test/support/run-watch.js';
import { record } from './record.js';

/** Records the histories of a restore on another host that waits for its yes, and of retention that waits for it; see record-histories.ts. */

const estate = await startEstate({
  change: (config) => {
    config.hosts.attic = config.hosts.nas;
  },
});
const { client, folder, source } = estate;
const env = { ...estate.env, HOLDFAST_STATE: join(folder, 'state of the attic') };
const attic = startHoldfast(['worker', '--host', 'attic'], env);
const restore = async (minute: number): Promise<string> => {
  const workflowId = `photos-offsite.restore-2026-11-20T03:0${minute}:00Z`;
  const input: RestoreInput = {
    job: 'photos-offsite',
    resource: 'photos',
    store: 'vault',
    host: 'attic',
    sourceHost: 'nas',
    target: join(folder, `restored ${minute}`),
    paths: [],
    limits: { deadHostAfterMs: 5_000, retryForMs: 60_000, giveUpAfterMs: 3_600_000 },
  };
  await client.workflow.start(workflowTypes.restoreRestic, {
    workflowId,
    taskQueue: workflowQueue,
    args: [input],
  });
  return workflowId;
};
const isWaiting = (run: string, words: string) => saysItWaitsFor(estate, run, words);
try {
  await attic.waitForLine('worker runs', 60_000);
  makeTree(source, { files: 5, bytes: 50_000, seed: 5 });
  await estate.holdfast('init-store', 'vault', '--host', 'nas');
  await estate.holdfast('run', 'photos-offsite', '--follow');
  const asks = await restore(1);
  await isWaiting(asks, 'an answer');
  const prune = runIn((await estate.holdfast('run', 'photos-offsite', '--only', 'prune')).stdout);
  await isWaiting(prune, asks);
  await estate.holdfast('approve', asks);
  await record(estate, 'restoreRestic', 'approved-on-another-host', asks);
  await record(estate, 'pruneRestic', 'waited-for-an-open-restore', prune);
  await record(estate, 'holdLease', 'any-of-several', leaseId(copiesLeases('vault')[0] ?? ''));
  await estate.worker.stop('SIGKILL');
  const alone = await restore(2);
  await isWaiting(alone, 'an answer');
  await estate.holdfast('approve', alone);
  await record(estate, 'restoreRestic', 'without-the-host-of-the-source', alone);
} finally {
  await attic.stop('SIGKILL');
  await estate.stop();
}
