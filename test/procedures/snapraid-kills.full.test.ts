import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { snapraidVersions } from '../../lab/places.js';
import { fill, makeArray, type TestArray } from '../support/array.js';
import { endOf, type FakeMachine, fakeMachine, startArrayEstate } from '../support/array-estate.js';
import { noise } from '../support/content.js';
import { type Estate, evidenceOf } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { snapraidTrap } from '../support/snapraid-trap.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** Kills in the middle of a sync by every version that is here: the words, exit codes and signals of their ends differ. */

const skip = needs('temporal', 'mount', 'snapraid');

for (const { version, path } of snapraidVersions())
  describe(`a sync by snapraid ${version} that is killed`, { skip }, () => kills(path));

function kills(binary: string): void {
  let estate: Estate;
  let array: TestArray;
  let machine: FakeMachine;
  const trap = snapraidTrap(binary);
  const isSynced = (): boolean => array.isSynced();
  const interruptions = (run: string): number =>
    evidenceOf(estate).filter((fact) => fact.kind === 'array-interrupted' && fact.run === run).length;
  const isAllBack = (): void =>
    assert.deepEqual(machine.state(), { 'smbd.service': 'active', jellyfin: 'running' });
  let made = 0;
  const changeSomething = (): void => {
    made += 1;
    for (const disk of ['d1', 'd2']) array.write(disk, `new ${made}.mkv`, noise(3_000_000, made));
  };

  before(async () => {
    machine = fakeMachine(temporaryFolder('machine'));
    machine.set({ 'smbd.service': 'active', jellyfin: 'running' });
    array = makeArray({ disks: 2, parities: 1, megabytes: 64, binary });
    fill(array, 100);
    estate = await startArrayEstate(array, (config) => {
      config.hosts.nas.tools.snapraid = trap.binary;
      config.jobs.nightly.steps = ['sync'];
      // A newer one would be caught while it reads for that, before the sync itself.
      config.jobs.nightly.prehash = false;
      config.jobs.nightly.pause = { units: ['smbd.service'], containers: ['jellyfin'] };
    });
    const { code, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    assert.equal(code, 0, stderr);
  });
  after(() => estate?.stop());

  test('by a polite signal is known as interrupted, whatever its exit code and its last words, and is continued', async () => {
    changeSomething();
    trap.set('kill -TERM $snapraid');
    const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.equal(interruptions(runIn(stdout)), 1);
    assert(trap.syncs() >= 2);
    assert(isSynced());
    isAllBack();
  });

  test('by SIGKILL is continued, and the writers come back', async () => {
    changeSomething();
    trap.set('kill -KILL $snapraid; sleep 1');
    const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.equal(interruptions(runIn(stdout)), 1);
    assert(isSynced());
    isAllBack();
  });

  test('goes on as an orphan when the worker is killed, and is not done twice', async () => {
    changeSomething();
    trap.set('sleep 4');
    const run = runIn((await estate.holdfast('run', 'nightly')).stdout);
    await trap.untilReached();
    assert.equal(machine.state().jellyfin, 'paused');
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    const { code, words } = await endOf(estate, run);
    assert.equal(code, 0, words);
    assert.equal(trap.syncs(), 1);
    assert(isSynced());
    isAllBack();
  });

  test('with its orchestrator gives the writers back when that is there again', async () => {
    changeSomething();
    trap.set('sleep 2');
    const run = runIn((await estate.holdfast('run', 'nightly')).stdout);
    await trap.untilReached();
    await estate.orchestrator.stop('SIGKILL');
    await estate.startOrchestrator();
    const { code, words } = await endOf(estate, run);
    assert.equal(code, 0, words);
    assert(isSynced());
    isAllBack();
  });

  test('by a cancellation gives the writers back, and the next night continues it', async () => {
    changeSomething();
    trap.set('sleep 1');
    const run = runIn((await estate.holdfast('run', 'nightly')).stdout);
    await trap.untilReached();
    await estate.holdfast('cancel', run);
    const { code } = await endOf(estate, run);
    assert.equal(code, 1);
    isAllBack();
    const next = await estate.holdfast('run', 'nightly', '--follow');
    assert.equal(next.code === 0 || next.code === 6, true, next.stderr);
    assert(isSynced());
  });

  test('a terminated run leaves writers away, and the worker gives them back at its next start', async () => {
    changeSomething();
    trap.set('sleep 1');
    const run = runIn((await estate.holdfast('run', 'nightly')).stdout);
    await trap.untilReached();
    await estate.client.workflow.getHandle(run).terminate('by an operator in a hurry');
    await estate.worker.stop('SIGKILL');
    assert.equal(machine.state().jellyfin, 'paused');
    await estate.startWorker();
    await waitFor(
      () => machine.state().jellyfin === 'running' && machine.state()['smbd.service'] === 'active',
      {
        timeoutMs: 60_000,
        what: 'the writers to be given back',
      },
    );
    // Its orphan goes on without it, and comes to its end.
    await waitFor(isSynced, { timeoutMs: 60_000, what: 'the orphan of the sync to end', everyMs: 500 });
  });

  test('another snapraid on the same array is named and waited for', async () => {
    changeSomething();
    trap.set('kill -STOP $snapraid; sleep 15; kill -CONT $snapraid');
    const args = ['-c', array.config, '--gui', '--log', join(array.folder, 'log of another'), 'sync'];
    const other = promisify(execFile)(trap.binary, args);
    await trap.untilReached();
    const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    await other;
    assert.equal(code, 0, `${stdout}${stderr}`);
    const said = (await estate.holdfast('logs', runIn(stdout))).stdout;
    assert.match(said, /is in use by \S*snapraid .*\(process \d+\)/);
    assert(isSynced());
  });
}
