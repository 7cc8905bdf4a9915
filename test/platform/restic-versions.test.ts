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
import { needs, onlyInFull } from '../support/needs.js';
import { asPlainUser, giveAway } from '../support/plain-user.js';
import { endChild, spawnTied } from '../support/spawn.js';
import { waitFor } from '../support/wait.js';
import { type Bench, failsWith, makeBench, runAt } from './restic-bench.js';

/** A short life of a repository with each restic that we promise, the real program. The longer suites have one or two; kills and cancels with each are in restic-kill.full. */

const names: ResticName[] = ['system', ...(Object.keys(versions.restic) as (keyof typeof versions.restic)[])];

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
    skip:
      needs(name === 'system' ? 'restic' : `restic-${name}`) ||
      // The first that speaks by exit codes; the longer suites of `npm test` have the oldest.
      (name !== '0.17' && onlyInFull('half a minute for each version')),
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
      const bench = makeBench({ restic });
      bench.config.hosts.nas = { restore: [], tools: { restic: asPlainUser(restic) } };
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
        keep: { last: 1 },
        prune: { cron: '0 6 * * 0', maxUnused: '0%' },
        check: { cron: '0 7 * * *', parts: 2 },
      };
      const bench = makeBench({ restic, job });
      makeTree(join(bench.source, 'tree'), { files: 20, bytes: 300_000, seed: 5 });
      for (const minute of [1, 2]) {
        writeFileSync(join(bench.source, 'changing'), noise(20_000, minute));
        await backupResource(bench.tools(), bench.step(runAt(minute)));
      }
      bench.restic('backup', '--tag=of-somebody-else', '--', bench.source);
      const pruned = await pruneStore(bench.tools(), bench.step(runAt(4, '.prune')));
      assert.deepEqual([pruned.kept, pruned.removed, pruned.warnings], [1, 1, []]);
      assert.deepEqual(pruned.reasons, { 'last snapshot': 1 });
      assert.ok(pruned.bytesFreed > 10_000, `${pruned.bytesFreed}`);
      assert.equal(bench.snapshots().length, 2);
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

    test("somebody else's lock is told, by exit code where it has one, and stays until SIGINT ends its owner", async () => {
      const bench = makeBench({ restic, job: { check: { cron: '0 7 * * *' } } });
      const env = { PATH: process.env.PATH, ...bench.resticEnvironment };
      // It holds its lock as long as its input does not end.
      const stranger = spawnTied(restic, ['backup', '--stdin'], { env, stdio: ['pipe', 'ignore', 'ignore'] });
      await waitFor(() => bench.locks().length > 0, { timeoutMs: 60_000, what: 'the lock of somebody else' });
      assert.equal(exitCode(restic, bench, ['check']), speaksByCode() ? 11 : 1);
      const check = () => checkStore(bench.tools(), bench.step(runAt(2, '.check')));
      await assert.rejects(
        check(),
        failsWith('HF_STORE_LOCKED', new RegExp(`by process ${stranger.pid} of`)),
      );
      assert.equal(bench.locks().length, 1);
      stranger.kill('SIGINT');
      await waitFor(() => bench.locks().length === 0, { timeoutMs: 60_000, what: 'its end' });
      // 0.17 and newer give the lock back, and still wait for what they read.
      stranger.stdin?.destroy();
      await endChild(stranger);
      assert.equal((await check()).store, 'shed');
    });
  });
}
