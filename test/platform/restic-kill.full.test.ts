import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { checkStore } from '../../activities/restic/check.js';
import { everyRestic } from '../../lab/places.js';
import { noise } from '../support/content.js';
import { waitFor } from '../support/wait.js';
import { type Bench, failsWith, makeBench, runAt } from './restic-bench.js';
import { startBackup } from './slow-backup.js';

/** Runs a command under another name of the machine. */
const otherMachine = ['unshare', '--uts', 'sh', '-c', 'hostname the-other-one && exec "$@"', 'sh'];

const noOtherName: string | false =
  spawnSync(otherMachine[0] ?? '', [...otherMachine.slice(1), 'true']).status === 0
    ? false
    : 'needs the right to unshare the name of the machine';

/** A repository with the lock of a restic that somebody else started, and that was killed. */
async function benchWithForeignLock(restic: string, wrap: readonly string[]): Promise<Bench> {
  const bench = makeBench({ restic, job: { check: { cron: '0 7 * * *' } } });
  writeFileSync(join(bench.source, 'big'), noise(4 * 2 ** 20, 1));
  const [file = '', ...args] = [...wrap, restic, 'backup', '--limit-upload=300', '--', bench.source];
  const env = { PATH: process.env.PATH, ...bench.resticEnvironment };
  const child = spawn(file, args, { env, stdio: 'ignore' });
  await waitFor(() => bench.locks().length > 0, { timeoutMs: 60_000, what: 'the lock of somebody else' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  unlinkSync(join(bench.source, 'big'));
  return bench;
}

/** A restic of ours that was killed, and whose parent does not look after its children. */
async function ownZombieWithLock(bench: Bench, restic: string) {
  writeFileSync(join(bench.source, 'big'), noise(4 * 2 ** 20, 1));
  const file = join(bench.folder, 'pid');
  const script = `'${restic}' backup --limit-upload=300 -- "$1" >/dev/null 2>&1 & echo $! > "$2"; exec sleep 600`;
  const env = { PATH: process.env.PATH, ...bench.resticEnvironment };
  const parent = spawn('sh', ['-c', script, 'sh', bench.source, file], { env, stdio: 'ignore' });
  await waitFor(() => bench.locks().length > 0, { timeoutMs: 60_000, what: 'the lock' });
  const pid = Number(readFileSync(file, 'utf8'));
  const records = join(bench.host.stateFolder, 'locks', 'started-shed');
  mkdirSync(records, { recursive: true });
  writeFileSync(join(records, 'one'), `${pid}\n`);
  // Written down after the lock was made here, and not before as a real one.
  utimesSync(join(records, 'one'), new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
  process.kill(pid, 'SIGKILL');
  const isDead = async () => (await bench.host.processStartedAt(pid)) === undefined;
  await waitFor(isDead, { timeoutMs: 60_000, what: 'the death of restic' });
  return {
    pid,
    async bury() {
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      await waitFor(() => !existsSync(`/proc/${pid}`), { timeoutMs: 60_000, what: 'init to reap it' });
    },
  };
}

for (const { version, path } of everyRestic()) {
  describe(`killing restic ${version}`, () => {
    test('a killed backup is made once by the next attempt, and leaves no lock', async () => {
      const { bench, tool, attempt, first } = await startBackup(path);
      process.kill(tool.pid('backup') ?? 0, 'SIGKILL');
      assert.ok(failsWith('HF_TOOL_KILLED', /SIGKILL/)(await first));
      assert.equal(bench.locks().length, 1, 'a killed restic leaves its lock behind');
      const copy = await attempt(2);
      assert.deepEqual(
        bench.snapshots().map(({ id }) => id),
        [copy.snapshot],
      );
      assert.deepEqual(bench.locks(), []);
    });

    test('the lock of a killed backup does not block the check of a later run', async () => {
      const { bench, tool, first } = await startBackup(path);
      process.kill(tool.pid('backup') ?? 0, 'SIGKILL');
      await first;
      const report = await checkStore(bench.tools(), bench.step(runAt(2, '.check')));
      // What the refused try said is no finding of the check.
      assert.deepEqual([report.store, report.warnings], ['shed', []]);
      assert.deepEqual(bench.locks(), []);
    });

    test('the lock of a living process is respected and its owner named', async () => {
      const { bench, tool, first } = await startBackup(path);
      await assert.rejects(
        checkStore(bench.tools(), bench.step(runAt(2, '.check'))),
        failsWith('HF_STORE_LOCKED', new RegExp(`by process ${tool.pid('backup')} of .+ on .+ since `)),
      );
      process.kill(tool.pid('backup') ?? 0, 'SIGKILL');
      await first;
    });

    test('the lock of a restic that we did not start is waited for, even when its process is dead', async () => {
      const bench = await benchWithForeignLock(path, []);
      await assert.rejects(
        checkStore(bench.tools(), bench.step(runAt(2, '.check'))),
        failsWith('HF_STORE_LOCKED', /by process \d+ of .+ on .+ since \S+Z$/),
      );
      assert.equal(bench.locks().length, 1);
    });

    test('the lock of another machine is waited for, and the machine named', {
      skip: noOtherName,
    }, async () => {
      const bench = await benchWithForeignLock(path, otherMachine);
      await assert.rejects(
        checkStore(bench.tools({ attempt: 2 }), bench.step(runAt(2, '.check'))),
        failsWith('HF_STORE_LOCKED', /of .+ on the-other-one since/),
      );
      assert.equal(bench.locks().length, 1);
      assert.equal((await backupResource(bench.tools(), bench.step(runAt(3)))).files > 0, true);
    });

    test('unlock is run on the silent lock of another machine once we ourselves have seen it for half an hour', {
      skip: noOtherName,
    }, async (t) => {
      const bench = await benchWithForeignLock(path, otherMachine);
      const checkAt = (minutes: number): Promise<unknown> => {
        t.mock.timers.reset();
        // The locks are judged by our clock; restic has its own.
        t.mock.timers.enable({ apis: ['Date'], now: startedAt + minutes * 60_000 });
        return checkStore(bench.tools(), bench.step(runAt(2, '.check')));
      };
      const startedAt = Date.now();
      // Its clock may be wrong: first seen, it is as fresh as any, however old it says that it is.
      await assert.rejects(checkAt(45), failsWith('HF_STORE_LOCKED', /on the-other-one since/));
      await assert.rejects(checkAt(74), failsWith('HF_STORE_LOCKED', /on the-other-one since/));
      assert.equal(bench.locks().length, 1);
      // restic itself would not call this lock stale yet: that we ran unlock, and nothing stronger, is what is seen.
      await assert.rejects(checkAt(76), failsWith('HF_STORE_LOCKED', /on the-other-one since/));
      assert.match(bench.log.join('\n'), /on the-other-one since .*: abandoned/);
      assert.match(bench.log.join('\n'), /restic unlock: 0 after/);
      assert.equal(bench.locks().length, 1);
    });

    test('a dead restic of ours whose number another process has now: unlock is not run while its lock is young', async (t) => {
      const { bench, tool, first } = await startBackup(path);
      const pid = tool.pid('backup') ?? 0;
      process.kill(pid, 'SIGKILL');
      await first;
      const startedAt = Date.now();
      const { host } = bench;
      const reused = {
        ...host,
        processStartedAt: async (asked: number) =>
          asked === pid ? startedAt + 60_000 : host.processStartedAt(asked),
      };
      const checkAt = (minutes: number): Promise<unknown> => {
        t.mock.timers.reset();
        t.mock.timers.enable({ apis: ['Date'], now: startedAt + minutes * 60_000 });
        return checkStore(bench.tools({ host: reused }), bench.step(runAt(2, '.check')));
      };
      await assert.rejects(checkAt(3), failsWith('HF_STORE_LOCKED', new RegExp(`by process ${pid} of`)));
      assert.doesNotMatch(bench.log.join('\n'), /restic unlock/, 'it would send the other process a signal');
      assert.equal(bench.locks().length, 1);
      await checkAt(45);
      assert.match(bench.log.join('\n'), new RegExp(`by process ${pid} of .*: ours`));
      assert.deepEqual(bench.locks(), []);
    });

    test('a check goes on by itself once the dead restic that blocked it is buried', async () => {
      const bench = makeBench({ restic: path, job: { check: { cron: '0 7 * * *' } } });
      const zombie = await ownZombieWithLock(bench, path);
      // restic takes a process that is dead but not reaped for alive, and leaves its lock.
      await assert.rejects(
        checkStore(bench.tools(), bench.step(runAt(2, '.check'))),
        failsWith('HF_STORE_LOCKED', new RegExp(`by process ${zombie.pid} of`)),
      );
      await zombie.bury();
      await checkStore(bench.tools(), bench.step(runAt(2, '.check')));
      assert.deepEqual(bench.locks(), []);
    });

    test('a restic that ends well leaves no record of itself', async () => {
      const bench = makeBench({ restic: path });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      assert.deepEqual(readdirSync(join(bench.host.stateFolder, 'locks', 'started-shed')), []);
    });

    test('cancelling ends restic in order: no lock, no copy', async () => {
      const stop = new AbortController();
      const { bench, first } = await startBackup(path, stop.signal);
      stop.abort(new Error('cancelled by hand'));
      assert.match(String(await first), /cancelled by hand/);
      assert.deepEqual(bench.locks(), []);
      assert.deepEqual(bench.snapshots(), []);
    });

    test('a retry waits for the restic of a killed worker and takes over what it made', async () => {
      const { bench, attempt, first } = await startBackup(path);
      // The first attempt goes on, as an orphan would; the second must not copy beside it.
      const copy = await attempt(2);
      await first;
      assert.deepEqual(
        bench.snapshots().map(({ id }) => id),
        [copy.snapshot],
      );
    });
  });
}
