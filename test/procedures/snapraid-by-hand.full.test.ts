import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { actionsOf } from '../../config/actions.js';
import { readConfig } from '../../config/load.js';
import { runId } from '../../contracts/names.js';
import { snapraidVersions } from '../../lab/places.js';
import { compileAction } from '../../schedules/compile-action.js';
import { fill, makeArray, type TestArray } from '../support/array.js';
import {
  endOf,
  type FakeMachine,
  fakeMachine,
  startArrayEstate,
  startUntilAsked,
  untilAsked,
} from '../support/array-estate.js';
import type { Estate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** What an operator does by hand, on a real array: disks are wiped, files deleted, and everything that comes back is compared. */

const skip = needs('temporal', 'mount', 'snapraid');

/** Content and time of every file below a folder, by its name. */
function treeOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    names
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !/snapraid\.content/.test(file))
      .sort()
      .map((file) => [
        file.slice(folder.length),
        `${readFileSync(file).toString('base64')} ${statSync(file, { bigint: true }).mtimeNs}`,
      ]),
  );
}

for (const { version, path: binary } of snapraidVersions())
  describe(`by hand, on an array of snapraid ${version}`, { skip }, () => {
    let estate: Estate;
    let array: TestArray;
    let machine: FakeMachine;
    const film = (disk: string, at: number): string => array.pathOf(disk, `Films/${at % 7}/film ${at}.mkv`);
    const act = async (...args: string[]) => {
      const { code, stdout, stderr } = await estate.holdfast('do', 'nightly', ...args);
      return { code, words: `${stdout}${stderr}`, run: /started/.test(stdout) ? runIn(stdout) : '' };
    };
    const night = async () => {
      const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow');
      return { code, words: `${stdout}${stderr}` };
    };
    const isSynced = (): boolean => array.isSynced();

    before(async () => {
      machine = fakeMachine(temporaryFolder('machine'));
      machine.set({ 'smbd.service': 'active' });
      array = makeArray({ disks: 3, parities: 1, megabytes: 24, binary });
      fill(array, 150);
      for (const odd of [
        '-dash',
        'line\nbreak',
        'Ünïcödé 海',
        'a*b?[c]',
        'quo\'te "$(touch x)"',
        'back\\slash',
        'co:lon',
      ])
        array.write('d2', `odd/${odd}`, `content of ${odd}`);
      estate = await startArrayEstate(array, (config) => {
        config.jobs.nightly.steps = ['sync'];
        config.jobs.nightly.pause = { units: ['smbd.service'] };
      });
      const { code, words } = await night();
      assert.equal(code, 0, words);
    });
    after(() => estate?.stop());

    test('without an action it says what there is, and a setting that is missing is asked for', async () => {
      const { words } = await act();
      for (const name of ['undelete', 'replace-disk', 'rebuild-parity'])
        assert.match(words, new RegExp(name));
      assert.equal((await act('undelete')).code, 2);
      const { code, words: why } = await act('replace-disk', '--set', 'disk=d9', '--plan');
      assert.equal(code, 3, why);
      assert.match(why, /has no data disk "d9"; it has: d1, d2, d3/);
    });

    test('deleted files come back, with content and time, however they are called', async () => {
      const before = treeOf(array.pathOf('d2'));
      rmSync(array.pathOf('d2', 'odd'), { recursive: true });
      const plan = await act('undelete', '--set', 'path=odd', '--plan');
      assert.equal(plan.code, 0, plan.words);
      assert.match(plan.words, /would bring back 7 deleted files at odd/);
      assert.notDeepEqual(treeOf(array.pathOf('d2')), before);
      const refused = await act('undelete', '--set', 'path=odd');
      assert.equal(refused.code, 5, refused.words);
      assert.notDeepEqual(treeOf(array.pathOf('d2')), before);
      const { code, words } = await act('undelete', '--set', 'path=odd', '--yes');
      assert.equal(code, 0, words);
      assert.deepEqual(treeOf(array.pathOf('d2')), before);
    });

    test('one file is named as it lay on its disk, and a name of patterns stands for itself alone', async () => {
      const file = array.pathOf('d2', 'odd/a*b?[c]');
      const other = film('d1', 3);
      rmSync(file);
      rmSync(other);
      const { code, words } = await act('undelete', '--set', `path=${file}`, '--yes');
      assert.equal(code, 0, words);
      assert.equal(readFileSync(file, 'utf8'), 'content of a*b?[c]');
      assert.throws(() => statSync(other), { code: 'ENOENT' });
    });

    test('what was synced away, was never there, or lies outside is not found', async () => {
      const { code, words } = await night();
      assert.equal(code, 0, words);
      const gone = await act('undelete', '--set', 'path=Films/3/film 3.mkv', '--yes');
      // Other disks have a file of this name, which is there.
      assert.match(gone.words, /nothing is missing/);
      const never = await act('undelete', '--set', 'path=Music/never', '--yes');
      assert.equal(never.code, 3, never.words);
      assert.equal((await act('undelete', '--set', 'path=../etc/passwd', '--yes')).code, 3);
      assert.equal((await act('undelete', '--set', 'path=/etc/passwd', '--yes')).code, 3);
    });

    test('a dead disk: the plan says what is at stake, a new one gets every file back, and only then is synced', async () => {
      const before = treeOf(array.pathOf('d2'));
      array.data.d2?.unmount();
      const plan = await act('replace-disk', '--set', 'disk=d2', '--plan');
      assert.equal(plan.code, 0, plan.words);
      assert.match(plan.words, /every file can be had back/);
      assert.match(plan.words, /not yet: Disk d2 is not mounted/);
      assert.equal((await act('replace-disk', '--set', 'disk=d2', '--yes')).code, 5);
      array.data.d2?.renew();
      assert.equal((await night()).code, 5, 'an empty disk was synced');
      array.write('d2', 'somebody else', 'x');
      const full = await act('replace-disk', '--set', 'disk=d2', '--yes');
      assert.equal(full.code, 5, full.words);
      assert.match(full.words, /is not empty \(somebody else\)/);
      rmSync(array.pathOf('d2', 'somebody else'));
      const calls = machine.calls().length;
      const { code, words } = await act('replace-disk', '--set', 'disk=d2', '--yes');
      assert.equal(code, 0, words);
      const did = machine.calls().slice(calls).join();
      const away = /stop smbd\.service.*start smbd\.service/;
      assert.match(
        did,
        new RegExp(`${away.source}.*${away.source}`),
        'writers wrote while it rebuilt or synced',
      );
      assert.match(words, /every file of d2 was read again/);
      assert.deepEqual(treeOf(array.pathOf('d2')), before);
      assert(isSynced());
      assert.equal((await night()).code, 0);
    });

    test('files that cannot be had back are named before the sync forgets them, other runs are held, and a no keeps the array as it is', async () => {
      // One parity, and a change on another disk since the last sync: what shares its blocks is lost.
      for (let at = 0; at < 40; at += 1) writeFileSync(film('d1', at), Buffer.alloc(9_000, 'changed since'));
      array.data.d3?.renew();
      const exact = await act('replace-disk', '--set', 'disk=d3', '--set', 'check=full', '--plan');
      assert.equal(exact.code, 0, exact.words);
      assert.match(exact.words, /[1-9]\d* are lost/);
      const { config } = readConfig(estate.env.HOLDFAST_CONFIG ?? '');
      assert(config);
      const action = actionsOf(config, 'nightly').find(({ name }) => name === 'replace-disk');
      assert(action);
      const compiled = compileAction(config, 'nightly', action, { settings: { disk: 'd3' } });
      const run = runId(compiled.name, new Date());
      await estate.client.workflow.start(compiled.workflowType, {
        workflowId: run,
        taskQueue: compiled.taskQueue,
        args: compiled.args,
      });
      const first = await untilAsked(estate, run);
      await estate.holdfast('approve', run);
      await untilAsked(estate, run, first);
      const shown = (await estate.holdfast('show', run)).stdout;
      assert.match(shown, /files are lost, and forgotten by this sync/);
      const waiting = runIn((await estate.holdfast('run', 'nightly')).stdout);
      await waitFor(async () => (await estate.holdfast('show', waiting)).stdout.includes(`used by ${run}`), {
        timeoutMs: 60_000,
        what: 'the nightly run to wait for the repair',
      });
      await estate.holdfast('cancel', waiting);
      await estate.holdfast('deny', run);
      const end = await endOf(estate, run);
      assert.equal(end.code, 5);
      assert.match(end.words, /The disk is rebuilt; nothing was synced/);
      assert(/summary:removed:[1-9]/.test(array.tags('diff')), 'the lost files were forgotten');
      array.write('d3', '.holdfast', 'd3\n');
      const asking = await startUntilAsked(estate);
      const asked = (await estate.holdfast('show', asking)).stdout;
      assert.match(asked, /the repair of disk d3 \(.*\) has not come to its end/);
      await estate.holdfast('deny', asking);
      await endOf(estate, asking);
    });

    test('a lost parity is computed anew, read again, and the array is whole', async () => {
      const lost = await act('replace-disk', '--set', 'disk=parity', '--plan');
      assert.equal(lost.code, 3);
      assert.match(lost.words, /is a parity: use rebuild-parity/);
      array.snapraid('--force-zero', '--force-empty', '--force-uuid', 'sync');
      array.parity.parity?.renew();
      // Its blocks cannot be right before the sync: what is wrong then must be right after it.
      writeFileSync(film('d1', 2), 'changed since the last sync');
      const { code, words } = await act('rebuild-parity', '--set', 'parity=parity', '--yes');
      assert.equal(code, 0, words);
      assert.match(
        words,
        /blocks of parity are not right; .*; then parity was read again and is right in every block/,
      );
      assert.equal(array.snapraid('check').code, 0);
      assert(isSynced());
    });
  });
