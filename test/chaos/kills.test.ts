import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compareTrees } from '../support/compare.js';
import { makeTree } from '../support/data.js';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { locksOnDisk } from '../support/locks.js';
import { needs, onlyInFull } from '../support/needs.js';
import { resticPids, runIn, underWay } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';

/** Kills in the middle of a real upload and a real restore: the run goes on and ends right, with exactly one snapshot. */

interface Snapshot {
  id: string;
  tags: string[];
}

const sourceBytes = 30_000_000;
/** Slow enough that a kill comes in the middle: some seconds an upload. */
const uploadKiBps = 2_500;

describe('kills in the middle', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  let seed = 100;

  before(async () => {
    estate = await startEstate({
      databaseFile: true,
      change: (config) => {
        config.stores.vault.restic.limits = { uploadKiBps };
      },
    });
    assert.equal((await estate.holdfast('init-store', 'vault')).code, 0);
  });
  after(() => estate?.stop());

  /** New data, so that each test has something to upload. */
  const renewSource = (): void => {
    rmSync(estate.source, { recursive: true, force: true });
    seed += 1;
    makeTree(estate.source, { files: 60, bytes: sourceBytes, seed });
  };

  const startBackup = async (): Promise<string> => {
    renewSource();
    const started = await estate.holdfast('run', 'photos-offsite');
    assert.equal(started.code, 0, started.stderr);
    const run = runIn(started.stdout);
    await underWay(estate, run, 1_000_000);
    return run;
  };

  const outcomeOf = (run: string): Promise<{ outcome: string }> =>
    estate.client.workflow.getHandle(run).result();

  /** The end that every kill must lead to: done, one snapshot of this run, its proof, and no lock left behind. */
  const assertEndedRight = async (run: string): Promise<void> => {
    assert.equal((await outcomeOf(run)).outcome, 'ok');
    const snapshots = (await estate.restic('snapshots', '--no-lock', '--tag', `run:${run}`)) as Snapshot[];
    assert.equal(snapshots.length, 1);
    const proofs = evidenceOf(estate).filter((entry) => entry.kind === 'copy' && entry.run === run);
    assert.deepEqual(
      proofs.map(({ snapshot }) => snapshot),
      snapshots.map(({ id }) => id),
    );
    assert.deepEqual(locksOnDisk(estate.repository), []);
    assert.deepEqual(resticPids('backup', estate.source), []);
  };

  test('SIGKILL of the worker: a new one finishes the run', async () => {
    const run = await startBackup();
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    await assertEndedRight(run);
  });

  test('SIGKILL of restic: the run tries again and finishes', async () => {
    const run = await startBackup();
    for (const pid of resticPids('backup', estate.source)) process.kill(pid, 'SIGKILL');
    await assertEndedRight(run);
  });

  test('SIGKILL of the server: the run goes on when it is back', async () => {
    const run = await startBackup();
    await estate.server.kill9();
    await estate.server.restart();
    await assertEndedRight(run);
  });

  test('SIGKILL of the orchestrator: the run goes on when it is back', async () => {
    const run = await startBackup();
    await estate.orchestrator.stop('SIGKILL');
    await estate.startOrchestrator();
    await assertEndedRight(run);
  });

  test('SIGTERM of the worker with restic running: it drains, ends with 0 and leaves no lock; a new one finishes', async () => {
    const run = await startBackup();
    const ended = await estate.worker.stop('SIGTERM');
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(resticPids('backup', estate.source), []);
    assert.deepEqual(locksOnDisk(estate.repository), []);
    await estate.startWorker();
    await assertEndedRight(run);
  });

  test('cancelling stops restic, leaves no lock and no snapshot, and the command ends with 1', async () => {
    renewSource();
    const following = estate.start('run', 'photos-offsite', '--follow');
    const run = runIn(await following.waitForLine(/photos-offsite-\d{4}/));
    await underWay(estate, run, 1_000_000);
    assert.equal((await estate.holdfast('cancel', run)).code, 0);
    const ended = await following.exit;
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stdout + ended.stderr, /cancelled/i);
    assert.deepEqual(resticPids('backup', estate.source), []);
    assert.deepEqual(locksOnDisk(estate.repository), []);
    assert.deepEqual(await estate.restic('snapshots', '--no-lock', '--tag', `run:${run}`), []);
  });

  test('SIGKILL of the worker and of restic in a restore: it is finished from where it was, and is the same to the byte', {
    skip: onlyInFull('it takes half a minute'),
  }, async () => {
    const backup = await startBackup();
    await assertEndedRight(backup);
    const target = join(estate.folder, 'restores', 'after kill');
    mkdirSync(join(estate.folder, 'restores'), { recursive: true });
    estate.configure((config) => {
      config.stores.vault.restic.limits = { downloadKiBps: uploadKiBps };
    });
    const restoring = estate.start('restore', 'photos-offsite', '--to', `nas:${target}`, '--yes');
    const run = runIn(await restoring.waitForLine(/photos-offsite\.restore-\d{4}/));
    const staging = join(target, '.holdfast-restore');
    await waitFor(() => existsSync(staging) && resticPids('restore', staging).length > 0, {
      timeoutMs: 30_000,
      what: 'restic to restore',
    });
    const pids = resticPids('restore', staging);
    await estate.worker.stop('SIGKILL');
    for (const pid of pids) killIfThere(pid);
    await estate.startWorker();
    const ended = await restoring.exit;
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.equal((await outcomeOf(run)).outcome, 'ok');
    assert.deepEqual(compareTrees(estate.source, target), []);
    assert.equal(existsSync(staging), false);
  });
});

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It died with the worker's end of its output: that is a kill as well.
  }
}
