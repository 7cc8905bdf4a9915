import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { snapraidVersions } from '../../lab/places.js';
import { corrupt, fill, makeArray, type TestArray } from '../support/array.js';
import {
  endOf,
  type FakeMachine,
  fakeMachine,
  startArrayEstate,
  startUntilAsked,
  untilAsked,
} from '../support/array-estate.js';
import { type Estate, evidenceOf } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { temporaryFolder } from '../support/temp.js';

/** The nightly procedure on a real array: six data disks and two parities on loop devices, thousands of small files. */

const skip = needs('temporal', 'mount', 'snapraid');

for (const { version, path: binary } of snapraidVersions())
  describe(`a SnapRAID array is kept, snapraid ${version}`, { skip }, () => {
    let estate: Estate;
    let array: TestArray;
    let machine: FakeMachine;
    // Of a disk that has no SMART, such as these, version 14 says that it is a failure.
    const asksForHealth = version !== '14.9';
    const film = (disk: string, at: number): string => array.pathOf(disk, `Films/${at % 7}/film ${at}.mkv`);
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow', ...args);
      return { code, words: `${stdout}${stderr}`, run: runIn(stdout) };
    };
    const isSynced = (): boolean => array.isSynced();
    const knows = (disk: string, path: string): boolean => array.knows(disk, path);
    /** The digests of what was removed in the test are asked for again at the end of each. */
    const remove = (disk: string, from: number, count: number): void => {
      for (let at = from; at < from + count; at += 1) rmSync(film(disk, at));
    };

    before(async () => {
      machine = fakeMachine(temporaryFolder('machine'));
      machine.set({
        'smbd.service': 'active',
        'off.service': 'inactive',
        jellyfin: 'running',
        idle: 'exited',
      });
      array = makeArray({ disks: 6, parities: 2, megabytes: 32, binary });
      fill(array, 350, 8_000);
      array.write('d2', '-odd: "quo\'te\\back', 'x');
      array.write('d3', 'line\nsummary:exit:ok\nbreak', 'x');
      array.write('d4', 'Ünïcödé 海 $(touch x)', 'x');
      estate = await startArrayEstate(array, (config) => {
        config.jobs.nightly.steps = ['touch', 'sync', 'scrub', ...(asksForHealth ? ['smart'] : [])];
        config.jobs.nightly.pause = {
          units: ['smbd.service', 'off.service'],
          containers: ['jellyfin', 'idle'],
        };
      });
    });
    after(() => estate?.stop());

    test('the first night syncs everything, scrubs, and says what it found', async () => {
      const { code, words } = await run();
      assert.equal(code, 0, words);
      assert.match(words, /sync complete: 2109 added/);
      assert.match(words, /100 % of \d+ blocks read, none is bad/);
      assert(isSynced());
      const kinds = evidenceOf(estate).map(({ kind }) => kind);
      for (const kind of ['array-synced', 'array-scrubbed', 'array-status'])
        assert(kinds.includes(kind), kind);
    });

    test('writers were away while it synced, and only what had been running is back', () => {
      assert.deepEqual(machine.state(), {
        'smbd.service': 'active',
        'off.service': 'inactive',
        jellyfin: 'running',
        idle: 'exited',
      });
      const did = machine.calls().filter((line) => !/ show | inspect /.test(line));
      assert.deepEqual(did, [
        'systemctl stop smbd.service',
        'docker pause jellyfin',
        'docker unpause jellyfin',
        'systemctl start smbd.service',
      ]);
    });

    test('a night without changes pauses nothing, and status shows it as good with the state of the array', async () => {
      const calls = machine.calls().length;
      const { code, words } = await run();
      assert.equal(code, 0, words);
      assert.match(words, /nothing was changed/);
      assert.equal(machine.calls().length, calls);
      const { stdout } = await estate.holdfast('status', 'nightly');
      assert.match(stdout, /media: 2109 files, 0 bad blocks, oldest block read 0 days ago/);
      const rows = JSON.parse((await estate.holdfast('status', 'nightly', '--json')).stdout);
      assert.equal(rows[0].level, 'green');
    });

    test('losses over the limit wait for a human, shown by folder, with nothing leased or kept away', async () => {
      remove('d1', 0, 8);
      const calls = machine.calls().length;
      const asking = await startUntilAsked(estate);
      const shown = (await estate.holdfast('show', asking)).stdout;
      assert.match(shown, /8 files of the array removed, more than 5/);
      assert.match(shown, /d1:Films\/0\/:/);
      assert.match(shown, /removed film 7\.mkv/);
      assert.equal(machine.calls().length, calls);
      await assert.rejects(estate.client.workflow.getHandle('lease-resource-media').signal('areYouThere'));

      const denied = await estate.holdfast('deny', asking, '--note', 'that was me, by mistake');
      assert.equal(denied.code, 0, denied.stderr);
      const { code, words } = await endOf(estate, asking);
      assert.equal(code, 5, words);
      assert(knows('d1', 'Films/0/film 0.mkv'), 'the deletion was synced');
      assert.equal(machine.calls().length, calls);
    });

    test('the next night asks afresh, and a change after the approval is asked about again', async () => {
      const asking = await startUntilAsked(estate);
      const first = await untilAsked(estate, asking);
      // Between the look and the answer somebody deletes one more.
      rmSync(film('d2', 9));
      await estate.holdfast('approve', asking);
      await untilAsked(estate, asking, first);
      const shown = (await estate.holdfast('show', asking)).stdout;
      assert.match(shown, /9 files of the array removed/);
      assert.match(shown, /film 9\.mkv/);
      assert(knows('d2', 'Films/2/film 9.mkv'));
      const stale = await estate.holdfast('approve', asking, '--digest', first);
      assert.equal(stale.code, 5);
      await estate.holdfast('approve', asking);
      const { code, words } = await endOf(estate, asking);
      assert.equal(code, 0, words);
      assert(!knows('d2', 'Films/2/film 9.mkv'));
      assert(isSynced());
      assert.equal(machine.state().jellyfin, 'running');
    });

    test('no answer in time is a no', async () => {
      remove('d3', 0, 7);
      estate.configure((config) => {
        config.jobs.nightly.approveWithin = '5s';
      });
      const { code, words } = await run('--only', 'sync');
      assert.equal(code, 5, words);
      assert.match(words, /Nobody answered in time/);
      assert(knows('d3', 'Films/0/film 0.mkv'));
      estate.configure((config) => {
        delete config.jobs.nightly.approveWithin;
      });
    });

    test('a file without bytes and a disk without files are asked about, whatever the limits are', async () => {
      estate.configure((config) => {
        config.jobs.nightly.thresholds = {
          removed: { files: 100_000 },
          updated: { files: 100_000 },
          perDisk: {},
        };
      });
      truncateSync(film('d5', 1), 0);
      const asking = await startUntilAsked(estate);
      assert.match((await estate.holdfast('show', asking)).stdout, /1 file shrank to nothing/);
      await estate.holdfast('approve', asking);
      const { code, words } = await endOf(estate, asking);
      assert.equal(code, 0, words);
      assert(isSynced());
    });

    test('a disk that is not mounted freezes the sync at once, with what to do next', async () => {
      array.data.d4?.unmount();
      const { code, words } = await run();
      assert.equal(code, 5, words);
      assert.match(words, /Do not sync "media": disk d4 is not mounted/);
      assert.match(words, /holdfast do nightly replace-disk --set disk=d4 --plan/);
      const { stdout } = await estate.holdfast('status', 'nightly');
      assert.match(stdout, /Do not sync "media": disk d4/);
      array.data.d4?.mount();
      const marker = array.pathOf('d4', '.holdfast');
      rmSync(marker);
      const unmarked = await run();
      assert.equal(unmarked.code, 5);
      assert.match(unmarked.words, /disk d4 has no marker/);
      writeFileSync(marker, 'd4\n');
      assert(knows('d4', 'Films/1/film 1.mkv'));
    });

    test('a parity file that is gone freezes the sync, also where nothing has changed', async () => {
      const file = join(array.parity['2-parity']?.folder ?? '', 'snapraid.2-parity');
      renameSync(file, `${file}.away`);
      for (const change of [() => undefined, () => array.write('d1', 'after the parity.mkv', 'new')]) {
        change();
        const { code, words } = await run('--only', 'sync');
        assert.equal(code, 5, words);
        assert.match(words, /Do not sync "media": 2-parity has 0 of at least \d+ bytes/);
        assert.match(words, /holdfast do nightly rebuild-parity --set parity=2-parity --plan/);
      }
      assert(!existsSync(file), 'snapraid made a new one');
      renameSync(`${file}.away`, file);
    });

    test('a sync stays proved when nobody wants the repair of what the scrub after it finds', async () => {
      await run();
      const good = readFileSync(film('d6', 34));
      array.write('d1', 'before the scrub.mkv', 'new');
      corrupt(film('d6', 34));
      const asking = await startUntilAsked(estate);
      await estate.holdfast('deny', asking);
      const { code, words } = await endOf(estate, asking);
      assert.equal(code, 6, words);
      assert.match(words, /sync complete: 1 added.*the scrub found bad blocks/);
      assert.match(words, /bad blocks were found: .* said no\. The bad blocks are as they were/);
      assert.doesNotMatch(words, /Nothing was changed/);
      if (asksForHealth) assert.match(words, /media: smart: done/, 'the steps after it are done');
      const { restorePoint } = (await estate.client.workflow.getHandle(asking).result()) as {
        restorePoint?: string;
      };
      assert.match(restorePoint ?? '', /^2\d{3}-/);
      array.snapraid('--filter-error', 'fix');
      array.snapraid('--plan', 'bad', 'scrub');
      assert.deepEqual(readFileSync(film('d6', 34)), good);
    });

    test('silent corruption is found, repaired after a yes, read again, and the file is as it was', async () => {
      await run();
      const good = [20, 27].map((at) => readFileSync(film('d6', at)));
      corrupt(film('d6', 20));
      const asking = await startUntilAsked(estate, '--only', 'scrub');
      const shown = (await estate.holdfast('show', asking)).stdout;
      assert.match(shown, /repair 1 bad blocks of media/);
      assert.match(shown, /can be repaired: d6:Films\/6\/film 20\.mkv/);
      // Somebody scrubs by hand meanwhile, and finds more: that is asked about as well.
      const first = await untilAsked(estate, asking);
      corrupt(film('d6', 27));
      array.snapraid('--plan', '100', '--older-than', '0', 'scrub');
      await estate.holdfast('approve', asking);
      await untilAsked(estate, asking, first);
      assert.match((await estate.holdfast('show', asking)).stdout, /repair 2 bad blocks of media/);
      assert.notDeepEqual(readFileSync(film('d6', 20)), good[0]);
      await estate.holdfast('approve', asking);
      const { code, words } = await endOf(estate, asking);
      assert.equal(code, 6, words);
      assert.deepEqual(
        [20, 27].map((at) => readFileSync(film('d6', at))),
        good,
      );
      assert.match(array.tags('status'), /^(summary:has_bad:0:|content_info:block_bad:0$)/m);
      const clean = await run('--only', 'scrub');
      assert.equal(clean.code, 0, clean.words);
    });

    test('a mistake in the name of a unit stops the run before anything is synced', async () => {
      array.write('d1', 'new.mkv', 'new');
      estate.configure((config) => {
        config.jobs.nightly.pause = { units: ['smbd.service', 'smdb.service'] };
      });
      const { code, words } = await run();
      assert.equal(code, 1, words);
      assert.match(words, /find the unit smdb\.service/);
      assert.equal(machine.state()['smbd.service'], 'active');
      assert(!knows('d1', 'new.mkv'));
      assert(existsSync(join(estate.stateFolder, 'snapraid')));
    });
  });
