import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isAtLeast, parseVersion } from '../../activities/restic/parse.js';
import { type ResticName, resticPath, versions } from '../../lab/places.js';
import { compareTrees } from '../support/compare.js';
import { makeTree } from '../support/data.js';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { locksOnDisk } from '../support/locks.js';
import { needs } from '../support/needs.js';
import { asPlainUser, giveAway, isRoot } from '../support/plain-user.js';
import { resticPids, runIn, underWay } from '../support/run-watch.js';
import { endChild, spawnTied } from '../support/spawn.js';
import { waitFor } from '../support/wait.js';

/** A job from end to end with each restic that we promise, the real program, as an operator drives it. */

interface Snapshot {
  id: string;
  tags: string[];
}

const names: ResticName[] = ['system', ...(Object.keys(versions.restic) as (keyof typeof versions.restic)[])];
const slow = { uploadKiBps: 2_000 };

for (const name of names) {
  const wanted = name === 'system' ? 'restic' : (`restic-${name}` as const);
  describe(`a job from end to end with restic ${name}`, { skip: needs('temporal', wanted) }, () => {
    const restic = resticPath(name) ?? '';
    let estate: Estate;
    let seed = 40;

    before(async () => {
      estate = await startEstate({
        restic: name,
        change: (config) => {
          config.jobs['photos-offsite'].keep = { last: 2 };
          config.jobs['photos-offsite'].prune.maxUnused = '0%';
        },
      });
    });
    after(() => estate?.stop());

    const follow = (...args: string[]) => estate.holdfast('run', 'photos-offsite', '--follow', ...args);
    const copies = async (...more: string[]): Promise<Snapshot[]> =>
      (await estate.restic('snapshots', '--no-lock', '--tag', ['holdfast', ...more].join())) as Snapshot[];
    const setStore = (change: Record<string, unknown>): void =>
      estate.configure((config) => Object.assign(config.stores.vault.restic, change));

    /** A run whose restic is in the middle of its upload. */
    const startSlowly = async (limits = slow): Promise<string> => {
      setStore({ limits });
      rmSync(estate.source, { recursive: true, force: true });
      seed += 1;
      makeTree(estate.source, { files: 40, bytes: 16_000_000, seed });
      const started = await estate.holdfast('run', 'photos-offsite');
      const run = runIn(started.stdout);
      const progress = await underWay(estate, run, 1_000_000);
      assert.ok(
        progress.filesTotal > 40 && progress.bytesTotal >= progress.bytesDone,
        JSON.stringify(progress),
      );
      return run;
    };
    const outcomeOf = async (run: string): Promise<string> =>
      ((await estate.client.workflow.getHandle(run).result()) as { outcome: string }).outcome;

    /** One copy of the run, proved, and nothing left behind. */
    const assertOneCopy = async (run: string): Promise<void> => {
      const ids = (await copies(`run:${run}`)).map(({ id }) => id);
      const proofs = evidenceOf(estate).filter((entry) => entry.kind === 'copy' && entry.run === run);
      assert.equal(ids.length, 1);
      assert.deepEqual(
        proofs.map(({ snapshot }) => snapshot),
        ids,
      );
      assert.deepEqual(locksOnDisk(estate.repository), []);
      assert.deepEqual(resticPids('backup', estate.source), []);
    };

    test('a missing repository is told and not made; init-store makes it once', async () => {
      makeTree(estate.source, { files: 20, bytes: 500_000, seed });
      const missing = await follow();
      assert.equal(missing.code, 1, missing.stdout + missing.stderr);
      assert.match(missing.stdout + missing.stderr, /no repository at the address of the store "vault"/);
      assert.equal(existsSync(estate.repository), false);
      assert.equal((await estate.holdfast('init-store', 'vault')).code, 0);
      assert.equal((await estate.holdfast('init-store', 'vault')).code, 5);
    });

    test('a wrong password is told at once and not tried again', async () => {
      const file = join(estate.folder, 'password');
      const right = readFileSync(file, 'utf8');
      writeFileSync(file, 'not the right one');
      const ended = await follow();
      writeFileSync(file, right);
      assert.equal(ended.code, 1, ended.stdout + ended.stderr);
      assert.match(ended.stdout + ended.stderr, /The password of the store "vault" is wrong/);
      assert.doesNotMatch(ended.stdout + ended.stderr, /attempt 2|not the right one/);
    });

    test('restic is killed with -9 in the middle, with its worker: one copy, proved, and no lock', async () => {
      const run = await startSlowly();
      const pids = resticPids('backup', estate.source);
      assert.ok(pids.length > 0);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await estate.worker.stop('SIGKILL');
      setStore({ limits: {} });
      await estate.startWorker();
      assert.equal(await outcomeOf(run), 'ok');
      await assertOneCopy(run);
    });

    test('a run that is cancelled in the middle leaves no lock and no copy', async () => {
      // Time enough for the command to come; 0.17 and newer end only when what is on its way has gone.
      const run = await startSlowly({ uploadKiBps: 800 });
      assert.equal((await estate.holdfast('cancel', run)).code, 0);
      await assert.rejects(outcomeOf(run));
      assert.deepEqual(await copies(`run:${run}`), []);
      assert.deepEqual(locksOnDisk(estate.repository), []);
      assert.deepEqual(resticPids('backup', estate.source), []);
      setStore({ limits: {} });
    });

    test('what could not be read is named, with a code of its own, and the copy counts', async () => {
      const file = join(estate.source, "nobody's\nphoto.jpg");
      writeFileSync(file, 'x');
      chmodSync(file, 0);
      estate.configure((config) => {
        config.hosts.nas.tools.restic = asPlainUser(restic);
      });
      // The worker's own folder too: restic keeps its cache there.
      giveAway(estate.folder);
      const ended = await follow();
      rmSync(file);
      if (isRoot) execFileSync('chown', ['-R', '0:0', '--', estate.folder]);
      estate.configure((config) => {
        config.hosts.nas.tools.restic = restic;
      });
      assert.equal(ended.code, 6, ended.stdout + ended.stderr);
      assert.match(ended.stdout + ended.stderr, /Could not be read, not in the copy: .*nobody's/);
      await assertOneCopy(runIn(ended.stdout));
    });

    test("somebody else's lock is waited for, by name, and the check goes on when it is gone", async () => {
      // It holds its lock as long as its input does not end.
      const words = ['backup', '--stdin', '--password-file', join(estate.folder, 'password')];
      const env = { ...process.env, RESTIC_REPOSITORY: estate.repository };
      const stranger = spawnTied(restic, words, { env, stdio: ['pipe', 'ignore', 'ignore'] });
      await waitFor(() => locksOnDisk(estate.repository).length > 0, {
        timeoutMs: 30_000,
        what: 'the lock of somebody else',
      });
      const checking = estate.start('run', 'photos-offsite', '--only', 'check', '--follow');
      const line = await checking.waitForLine(/locked by process \d+ of \S+ on \S+ since/, 60_000);
      assert.match(line, /"vault"/);
      assert.equal(locksOnDisk(estate.repository).length, 1, 'it is not ours to break');
      stranger.kill('SIGINT');
      await waitFor(() => locksOnDisk(estate.repository).length === 0, {
        timeoutMs: 60_000,
        what: 'its end',
      });
      stranger.stdin?.destroy();
      await endChild(stranger);
      const ended = await checking.exit;
      assert.equal(ended.code, 0, ended.stdout + ended.stderr);
      assert.match(ended.stdout, /part 1 of 2/);
    });

    test('the next check reads the next part; retention keeps what it shall and proves it', async () => {
      const second = await follow('--only', 'check');
      assert.match(second.stdout, /part 2 of 2/, second.stdout + second.stderr);
      const ended = await follow();
      assert.equal(ended.code, 0, ended.stdout + ended.stderr);
      const before = (await copies()).map(({ id }) => id);
      assert.ok(before.length >= 3, `${before.length}`);
      const pruned = await follow('--only', 'prune');
      assert.equal(pruned.code, 0, pruned.stdout + pruned.stderr);
      assert.match(pruned.stdout, new RegExp(`${before.length - 2} copies removed, 2 kept`));
      assert.deepEqual(
        (await copies()).map(({ id }) => id),
        before.slice(-2),
      );
      assert.deepEqual(locksOnDisk(estate.repository), []);
    });

    test('what comes back is the same to the byte, and the report says what was compared', async () => {
      const target = join(estate.folder, 'restores', 'whole');
      const ended = await estate.holdfast('restore', 'photos-offsite', '--to', `nas:${target}`, '--yes');
      assert.equal(ended.code, 0, ended.stdout + ended.stderr);
      assert.match(ended.stdout, /contents of \d+ files/);
      assert.deepEqual(compareTrees(estate.source, target), []);
      assert.equal(existsSync(join(target, '.holdfast-restore')), false);
    });

    test('it was this restic all the time', async () => {
      const said = execFileSync(restic, ['version'], { encoding: 'utf8' });
      if (name !== 'system') assert.ok(said.startsWith(`restic ${versions.restic[name]} `), said);
      // 0.16 and newer sign their snapshots.
      const signed = isAtLeast(parseVersion(said), [0, 16]);
      for (const snapshot of (await copies()) as (Snapshot & { program_version?: string })[])
        assert.equal(snapshot.program_version, signed ? said.split(' ').slice(0, 2).join(' ') : undefined);
    });
  });
}
