import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { fill, makeArray, type TestArray } from '../support/array.js';
import { endOf, type FakeMachine, fakeMachine, startArrayEstate } from '../support/array-estate.js';
import { type Estate, evidenceOf } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** Kills in the middle of a sync, by the switch with which snapraid itself runs a program there. */

const skip = needs('temporal', 'mount', 'snapraid');

describe('a sync that is killed', { skip }, () => {
  let estate: Estate;
  let array: TestArray;
  let machine: FakeMachine;
  const folder = temporaryFolder('trap');
  const trap = join(folder, 'trap');
  const reached = join(folder, 'reached');
  const calls = join(folder, 'calls');
  /** A snapraid that runs the trap once in the middle of its next sync; $PPID is snapraid there. */
  const setTrap = (commands: string): void => {
    rmSync(reached, { force: true });
    writeFileSync(calls, '');
    writeFileSync(trap, commands);
  };
  const syncs = (): number =>
    readFileSync(calls, 'utf8')
      .split('\n')
      .filter((line) => / sync$/.test(line)).length;
  const untilReached = (): Promise<boolean> =>
    waitFor(() => existsSync(reached), { timeoutMs: 60_000, what: 'the middle of a sync' });
  const isSynced = (): boolean => array.isSynced();
  const interruptions = (run: string): number =>
    evidenceOf(estate).filter((fact) => fact.kind === 'array-interrupted' && fact.run === run).length;
  const isAllBack = (): void =>
    assert.deepEqual(machine.state(), { 'smbd.service': 'active', jellyfin: 'running' });
  let made = 0;
  const changeSomething = (): void => {
    made += 1;
    for (const disk of ['d1', 'd2']) array.write(disk, `new ${made}.mkv`, Buffer.alloc(400_000, `${made}`));
  };

  before(async () => {
    machine = fakeMachine(temporaryFolder('machine'));
    machine.set({ 'smbd.service': 'active', jellyfin: 'running' });
    array = makeArray({ disks: 2, parities: 1, megabytes: 24 });
    fill(array, 100);
    const wrapper = join(folder, 'snapraid');
    writeFileSync(
      wrapper,
      `#!/bin/sh\necho "$*" >> '${calls}'\ncase "$*" in *' sync') [ -e '${trap}' ] && exec snapraid --test-run "mv '${trap}' '${trap}.used'; touch '${reached}'; $(cat '${trap}')" "$@";; esac\nexec snapraid "$@"\n`,
    );
    chmodSync(wrapper, 0o755);
    writeFileSync(calls, '');
    estate = await startArrayEstate(array, (config) => {
      config.hosts.nas.tools.snapraid = wrapper;
      config.jobs.nightly.steps = ['sync'];
      config.jobs.nightly.pause = { units: ['smbd.service'], containers: ['jellyfin'] };
    });
    const { code, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    assert.equal(code, 0, stderr);
  });
  after(() => estate?.stop());

  test('by a polite signal says "ok", is known as interrupted all the same, and is continued', async () => {
    changeSomething();
    setTrap('kill -TERM $PPID');
    const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.equal(interruptions(runIn(stdout)), 1);
    assert(syncs() >= 2);
    assert(isSynced());
    isAllBack();
  });

  test('by SIGKILL is continued, and the writers come back', async () => {
    changeSomething();
    setTrap('kill -KILL $PPID; sleep 1');
    const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.equal(interruptions(runIn(stdout)), 1);
    assert(isSynced());
    isAllBack();
  });

  test('goes on as an orphan when the worker is killed, and is not done twice', async () => {
    changeSomething();
    setTrap('sleep 4');
    const run = runIn((await estate.holdfast('run', 'nightly')).stdout);
    await untilReached();
    assert.equal(machine.state().jellyfin, 'paused');
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    const { code, words } = await endOf(estate, run);
    assert.equal(code, 0, words);
    assert.equal(syncs(), 1);
    assert(isSynced());
    isAllBack();
  });

  test('with its orchestrator gives the writers back when that is there again', async () => {
    changeSomething();
    setTrap('sleep 2');
    const run = runIn((await estate.holdfast('run', 'nightly')).stdout);
    await untilReached();
    await estate.orchestrator.stop('SIGKILL');
    await estate.startOrchestrator();
    const { code, words } = await endOf(estate, run);
    assert.equal(code, 0, words);
    assert(isSynced());
    isAllBack();
  });

  test('by a cancellation gives the writers back, and the next night continues it', async () => {
    changeSomething();
    setTrap('sleep 1');
    const run = runIn((await estate.holdfast('run', 'nightly')).stdout);
    await untilReached();
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
    setTrap('sleep 1');
    const run = runIn((await estate.holdfast('run', 'nightly')).stdout);
    await untilReached();
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
    writeFileSync(trap, `touch '${reached}'; sleep 6`);
    rmSync(reached, { force: true });
    const wrapper = join(folder, 'snapraid');
    const other = promisify(execFile)(wrapper, ['-c', array.config, 'sync']);
    await untilReached();
    const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    await other;
    assert.equal(code, 0, `${stdout}${stderr}`);
    const log = (await estate.holdfast('logs', runIn(stdout))).stdout;
    assert.match(log, /is in use by snapraid .*\(process \d+\)/);
    assert(isSynced());
  });
});
