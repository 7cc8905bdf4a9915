import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { WorkflowHandle } from '@temporalio/client';
import type { RestoreInput, RestoreResult } from '../../contracts/jobs.js';
import { workflowQueue, workflowTypes } from '../../contracts/names.js';
import { type Ended, type HoldfastChild, startHoldfast } from '../support/children.js';
import { makeTree } from '../support/data.js';
import { type Estate, startEstate } from '../support/estate.js';
import { needs, onlyInFull } from '../support/needs.js';
import { runIn, saysItWaitsFor } from '../support/run-watch.js';

/** Somebody looks at the plan of a restore for a while, on another host than the one that made the copy; the house goes on meanwhile. */

const timeoutMs = 60_000;

describe('a restore that waits for its yes, on another host', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  let attic: HoldfastChild;
  let oldest = '';
  let restore: WorkflowHandle;
  let prune = '';

  const ok = (ended: Ended): Ended => {
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    return ended;
  };
  const backUp = async (): Promise<void> => {
    ok(await estate.holdfast('run', 'photos-offsite', '--follow'));
  };
  const snapshots = async (): Promise<string[]> =>
    ((await estate.restic('snapshots', '--tag', 'job:photos-offsite')) as { id: string }[]).map(
      ({ id }) => id,
    );
  const waitsFor = (run: string, words: RegExp) => saysItWaitsFor(estate, run, words);
  const ask = (second: string, copy: string): Promise<WorkflowHandle> =>
    estate.client.workflow.start(workflowTypes.restoreRestic, {
      workflowId: `photos-offsite.restore-2026-11-20T03:00:${second}Z`,
      taskQueue: workflowQueue,
      args: [
        {
          job: 'photos-offsite',
          resource: 'photos',
          store: 'vault',
          host: 'attic',
          sourceHost: 'nas',
          target: join(estate.folder, `restored ${second}`),
          paths: [],
          copy,
          limits: { deadHostAfterMs: 5_000, retryForMs: 60_000, giveUpAfterMs: 3_600_000 },
        } satisfies RestoreInput,
      ],
    });

  before(async () => {
    estate = await startEstate({
      change: (config) => {
        config.hosts.attic = config.hosts.nas;
        Object.assign(config.jobs['photos-offsite'], { keep: { last: 1 } });
      },
    });
    const state = join(estate.folder, 'state of the attic');
    attic = startHoldfast(['worker', '--host', 'attic'], { ...estate.env, HOLDFAST_STATE: state });
    await attic.waitForLine('worker runs', timeoutMs);
    makeTree(estate.source, { files: 5, bytes: 50_000, seed: 5 });
    const disk = join(estate.source, 'a disk\n.img');
    writeFileSync(disk, '');
    truncateSync(disk, 2 ** 24);
    ok(await estate.holdfast('init-store', 'vault', '--host', 'nas'));
    await backUp();
    writeFileSync(join(estate.source, 'only in the newer copies'), 'x');
    await backUp();
    [oldest = ''] = await snapshots();
  });

  after(async () => {
    await attic?.stop('SIGKILL');
    await estate?.stop();
  });

  test('keeps retention waiting, which says for whom', async () => {
    restore = await ask('01', oldest);
    await waitsFor(restore.workflowId, /an answer/);
    prune = runIn(ok(await estate.holdfast('run', 'photos-offsite', '--only', 'prune')).stdout);
    await waitsFor(prune, new RegExp(`used by ${restore.workflowId}`));
    assert.equal((await snapshots()).length, 2);
    assert.match(ok(await estate.holdfast('copies', '--host', 'nas')).stdout, new RegExp(restore.workflowId));
  });

  test('keeps neither backups nor checks nor the plan of another restore waiting', async () => {
    await backUp();
    ok(await estate.holdfast('run', 'photos-offsite', '--only', 'check', '--follow'));
    const other = await ask('02', 'latest-of-nothing');
    await assert.rejects(other.result());
    const second = await ask('03', oldest);
    await waitsFor(second.workflowId, /an answer/);
    ok(await estate.holdfast('deny', second.workflowId));
    await assert.rejects(second.result());
    await waitsFor(prune, new RegExp(`used by ${restore.workflowId}`));
    assert.equal((await snapshots()).length, 3);
  });

  test('restores just what was shown once somebody says yes, and compares what the source has noted', async () => {
    ok(await estate.holdfast('approve', restore.workflowId));
    const { report } = (await restore.result()) as RestoreResult;
    assert.equal(report.snapshot, oldest);
    assert.equal(existsSync(join(estate.folder, 'restored 01', 'only in the newer copies')), false);
    assert.match(
      report.verified.join('\n'),
      /sparseness: [1-9] files that were sparse at the source are sparse/,
    );
    assert.match(
      report.notVerified.join('\n'),
      /sparseness of the other files: host nas noted those of another copy/,
    );
  });

  test('lets retention go on when it has ended', async () => {
    await estate.client.workflow.getHandle(prune).result();
    const left = await snapshots();
    assert.equal(left.length, 1);
    assert(!left.includes(oldest));
  });

  test('is done without the host of the source: which files were sparse lies beside the copies', {
    skip: onlyInFull('a host is given a quarter of a minute to answer'),
  }, async () => {
    await estate.worker.stop('SIGKILL');
    const [newest = ''] = await snapshots();
    const alone = await ask('04', newest);
    await waitsFor(alone.workflowId, /an answer/);
    ok(await estate.holdfast('approve', alone.workflowId));
    const { report } = (await alone.result()) as RestoreResult;
    assert.match(
      report.verified.join('\n'),
      /sparseness: [1-9] files that were sparse at the source are sparse/,
    );
    assert.equal(readFileSync(join(estate.folder, 'restored 04', 'only in the newer copies'), 'utf8'), 'x');
  });
});
