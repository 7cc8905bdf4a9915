import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { planByHand } from '../../activities/snapraid/by-hand.js';
import { guardDisks } from '../../activities/snapraid/guard.js';
import { snapraidVersions } from '../../lab/places.js';
import { folderArray } from '../support/folder-array.js';
import { needs } from '../support/needs.js';

/** A disk whose folder lay below its mount point takes it along: snapraid then refuses every question, and it is asked all the same. */

const skip = needs('snapraid');

for (const { version, path } of snapraidVersions())
  describe(`with the folder of a disk gone, snapraid ${version}`, { skip }, () => {
    test('the plan of its replacement says what is at stake on the others, and leaves nothing behind', async () => {
      const { array, folder, d2, d3 } = folderArray(path);
      rmSync(join(d3, 'film 1.mkv'));
      renameSync(d2, join(folder, 'away'));
      await assert.rejects(guardDisks(array), {
        code: 'HF_ARRAY_DISK_MISSING',
        message: /^Do not sync "media": disk d2 has no folder .*replace-disk --set disk=d2 --plan$/,
      });
      const input = { ...array.input, action: 'replace-disk', settings: { disk: 'd2', check: 'full' } };
      const plan = await planByHand(array, input);
      assert.equal(plan.what, `rebuild the 5 files of disk d2 at ${d2}`);
      assert.match(plan.refused ?? '', /^Disk d2 has no folder .*: mount the new disk there first$/);
      const words = plan.lines.join('\n');
      assert.match(
        words,
        /^1 files on d3 were removed or changed since the last sync; every file can be had back/m,
      );
      assert.match(words, /^ {2}removed d3:film 1\.mkv$/m);
      assert.match(words, /^everything was read: 5 files can be had back, 0 are lost$/m);
      assert(!existsSync(d2), 'the folder of the disk was made');
      assert.deepEqual(readdirSync(`${array.tools.host.stateFolder}/snapraid`), []);
    });

    test('the plan of a lost parity says what it has to do', async () => {
      const { array, folder } = folderArray(path);
      renameSync(join(folder, 'q'), join(folder, 'away'));
      const input = { ...array.input, action: 'rebuild-parity', settings: { parity: '2-parity' } };
      const plan = await planByHand(array, input);
      assert.match(plan.refused ?? '', /^2-parity has no folder .*: mount the new disk there first$/);
      assert.match(plan.lines.join('\n'), /nothing was changed since the last sync: it will be whole/);
    });
  });
