import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { checkStore } from '../../activities/restic/check.js';
import { initialiseStore } from '../../activities/restic/initialise.js';
import { isAtLeast, parseVersion } from '../../activities/restic/parse.js';
import { pruneStore } from '../../activities/restic/prune.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { type ResticName, resticPath, versions } from '../../lab/places.js';
import { compareTrees } from '../support/compare.js';
import { noise } from '../support/content.js';
import { makeTree } from '../support/data.js';
import { needs } from '../support/needs.js';
import { asPlainUser, giveAway } from '../support/plain-user.js';
import { type Bench, failsWith, makeBench, runAt } from './restic-bench.js';
import { startBackup } from './slow-backup.js';

/** The life of a repository with each restic that we promise, the real program: what the longer suites do with one or two of them. */

/** In `npm test` the longer suites have the machine's own. */
const names: ResticName[] = [
  ...(process.env.HOLDFAST_ONE_RESTIC ? [] : (['system'] as const)),
  ...(Object.keys(versions.restic) as (keyof typeof versions.restic)[]),
];

/** How a restic ends that is started by hand. */
function exitCode(restic: string, bench: Bench, args: string[], env: Record<string, string> = {}) {
  const { status } = spawnSync(restic, args, {
    env: { PATH: process.env.PATH, ...bench.resticEnvironment, ...env },
    stdio: 'ignore',
  });
  return status;
}

for (const name of names) {
  const restic = resticPath(name) ?? '';
  describe(`restic ${name} through our driver`, {
    skip: needs(name === 'system' ? 'restic' : `restic-${name}`),
  }, () => {
    const version = (): readonly number[] =>
      parseVersion(spawnSync(restic, ['version'], { encoding: 'utf8' }).stdout);
    /** 0.17 began to speak by exit codes; for wrong passwords 0.17.1. */
    const speaksByCode = (): boolean => isAtLeast(version(), [0, 17]);

    test('is of the version that it is called by', () => {
      if (name === 'system') assert.ok(isAtLeast(version(), [0, 14]));
      else assert.equal(version().join('.'), versions.restic[name]);
    });

    test('makes a repository once; a missing one and a wrong password are told, by exit code where it has one', async () => {
      const bench = makeBench({ restic });
      const backup = () => backupResource(bench.tools(), bench.step(runAt(1)));
      const list = ['snapshots', '--no-lock'];
      assert.equal(exitCode(restic, bench, list, { RESTIC_PASSWORD: 'wrong' }), speaksByCode() ? 12 : 1);
      writeFileSync(join(bench.folder, 'key'), 'wrong');
      await assert.rejects(backup(), failsWith('HF_WRONG_PASSWORD', /"shed"/));
      writeFileSync(join(bench.folder, 'key'), bench.resticEnvironment.RESTIC_PASSWORD ?? '');
      rmSync(bench.repository, { recursive: true });
      assert.equal(exitCode(restic, bench, list), speaksByCode() ? 10 : 1);
      await assert.rejects(backup(), failsWith('HF_STORE_MISSING', /"shed"/));
      assert.match((await initialiseStore(bench.tools(), 'shed')).repository, /^[0-9a-f]{64}$/);
      await assert.rejects(initialiseStore(bench.tools(), 'shed'), failsWith('HF_STORE_EXISTS'));
      assert.equal((await backup()).files, 11);
    });

    test('names what it could not read, and the copy counts', async () => {
      const bench = makeBench({ restic: asPlainUser(restic) });
      const file = join(bench.source, "no one's\nphoto");
      writeFileSync(file, 'x', { mode: 0 });
      chmodSync(file, 0);
      giveAway(bench.folder);
      const copy = await backupResource(bench.tools(), bench.step(runAt(1)));
      assert.deepEqual(copy.warnings, [`Could not be read, not in the copy: ${file}`]);
      assert.equal(copy.files, 11);
      assert.deepEqual(bench.locks(), []);
    });

    test('keeps what the rules say, reads its data by turns and gives all of it back, compared', async () => {
      const job = {
        keep: { last: 2 },
        prune: { cron: '0 6 * * 0', maxUnused: '0%' },
        check: { cron: '0 7 * * *', parts: 2 },
      };
      const bench = makeBench({ restic, job });
      makeTree(join(bench.source, 'tree'), { files: 20, bytes: 300_000, seed: 5 });
      for (const minute of [1, 2, 3]) {
        writeFileSync(join(bench.source, 'changing'), noise(20_000, minute));
        await backupResource(bench.tools(), bench.step(runAt(minute)));
      }
      bench.restic('backup', '--tag=of-somebody-else', '--', bench.source);
      const pruned = await pruneStore(bench.tools(), bench.step(runAt(4, '.prune')));
      assert.deepEqual([pruned.kept, pruned.removed, pruned.warnings], [2, 1, []]);
      assert.deepEqual(pruned.reasons, { 'last snapshot': 2 });
      assert.ok(pruned.bytesFreed > 10_000, `${pruned.bytesFreed}`);
      assert.equal(bench.snapshots().length, 3);
      const checks = [];
      for (const minute of [5, 6])
        checks.push(await checkStore(bench.tools(), bench.step(runAt(minute, '.check'))));
      assert.deepEqual(
        checks.map(({ part, parts, warnings }) => [part, parts, warnings]),
        [
          [1, 2, []],
          [2, 2, []],
        ],
      );
      const target = join(bench.folder, 'restored');
      const report = await restoreCopy(bench.tools(), bench.restoreStep(runAt(7, '.restore'), target));
      assert.match(report.verified.join('\n'), /contents of \d+ files \(hashes, by restic\)/);
      assert.deepEqual(report.warnings, []);
      assert.deepEqual(compareTrees(bench.source, target), []);
      assert.deepEqual(bench.locks(), []);
    });

    test('killed in the middle: its lock is judged, and the next attempt makes exactly one copy', async () => {
      const { bench, tool, attempt, first } = await startBackup(restic);
      const pid = tool.pid('backup') ?? 0;
      const check = () => checkStore(bench.tools(), bench.step(runAt(2, '.check')));
      assert.equal(exitCode(restic, bench, ['check']), speaksByCode() ? 11 : 1);
      await assert.rejects(check(), failsWith('HF_STORE_LOCKED', new RegExp(`by process ${pid} of .+ on `)));
      assert.equal(bench.locks().length, 1, 'the lock of a living restic stays');
      process.kill(pid, 'SIGKILL');
      assert.ok(failsWith('HF_TOOL_KILLED', /SIGKILL/)(await first));
      assert.equal(bench.locks().length, 1, 'a killed restic leaves its lock behind');
      const store = bench.config.stores.shed?.restic;
      assert.ok(store);
      store.limits = {};
      const copy = await attempt(2);
      assert.deepEqual(
        bench.snapshots().map(({ id }) => id),
        [copy.snapshot],
      );
      await check();
      assert.deepEqual(bench.locks(), []);
    });

    test('cancelled in the middle it ends in order: no lock, no copy', async () => {
      const stop = new AbortController();
      const { bench, first } = await startBackup(restic, stop.signal);
      stop.abort(new Error('cancelled by hand'));
      assert.match(String(await first), /cancelled by hand/);
      assert.deepEqual(bench.locks(), []);
      assert.deepEqual(bench.snapshots(), []);
    });
  });
}
