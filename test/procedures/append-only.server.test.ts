import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { RunResult } from '../../contracts/jobs.js';
import { makeTree } from '../support/data.js';
import { type Estate, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { type RestServer, startRestServer } from '../support/rest-server.js';
import { runIn } from '../support/run-watch.js';

/** A job whose store takes copies and deletes none: nothing that is shown of its retention may sound as if it had removed something. */

describe('an append-only store', { skip: needs('temporal', 'restic', 'rclone') }, () => {
  let server: RestServer;
  let estate: Estate;

  before(async () => {
    server = await startRestServer({ appendOnly: true });
    estate = await startEstate({
      repository: `${server.address}/photos`,
      change: (config) => {
        config.stores.vault.restic.appendOnly = true;
        config.jobs['photos-offsite'].keep = { last: 1 };
        config.jobs['photos-offsite'].objective.prune = '8d';
      },
    });
    makeTree(estate.source, { files: 5, bytes: 10_000, seed: 3 });
    const made = await estate.holdfast('init-store', 'vault');
    assert.equal(made.code, 0, made.stderr);
  });

  after(async () => {
    await estate?.stop();
    await server?.stop();
  });

  const pruneRow = async () =>
    JSON.parse((await estate.holdfast('status', '--json')).stdout).find(
      ({ operation }: { operation: string }) => operation === 'prune',
    );

  test('is planned with the words that nothing will be removed', async () => {
    const plan = await estate.holdfast('plan');
    assert.match(
      plan.stdout,
      /hf-photos-offsite\.prune +new: .+restic retention of vault \(append-only: nothing is removed\)/,
    );
    const row = await pruneRow();
    assert.deepEqual([row.appendOnly, row.overdue, row.goodAt], [true, true, undefined]);
  });

  test('takes copies, and its retention ends well, removes nothing, and says so wherever it is looked at', async () => {
    for (const minute of [1, 2]) {
      const backup = await estate.holdfast('run', 'photos-offsite', '--follow');
      assert.equal(backup.code, 0, `${minute}: ${backup.stdout}${backup.stderr}`);
    }
    const pruned = await estate.holdfast('run', 'photos-offsite', '--only', 'prune', '--follow');
    assert.equal(pruned.code, 0, pruned.stdout + pruned.stderr);
    assert.match(pruned.stdout, /append-only: nothing is removed/);
    const run = runIn(pruned.stdout);
    const { outcome, summary } = (await estate.client.workflow.getHandle(run).result()) as RunResult;
    assert.deepEqual([outcome, /append-only: nothing is removed/.test(summary)], ['ok', true]);
    assert.match((await estate.holdfast('show', run)).stdout, /append-only: nothing is removed/);
    const status = await estate.holdfast('status', '--check');
    assert.match(status.stdout, /^photos-offsite\.prune\t\d+ .+ old, append-only\twithin 8 d\tok/m);
    assert.doesNotMatch(status.stdout, /^photos-offsite\t.*append-only/m);
    const copies = (await estate.restic('snapshots', '--tag=job:photos-offsite')) as unknown[];
    assert.equal(copies.length, 2, 'keep: last 1 has removed nothing');
  });
});
