import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { repairBad } from '../../activities/snapraid/repair-bad.js';
import { scrubArray } from '../../activities/snapraid/scrub.js';
import { snapraidVersions } from '../../lab/places.js';
import { corrupt } from '../support/array.js';
import { folderArray } from '../support/folder-array.js';
import { needs } from '../support/needs.js';

/** A yes to the repair of bad blocks is one to these blocks: real versions say in different ways which they are. */

const skip = needs('snapraid');
const job = { scrub: { percent: 100, olderThan: '0s' } };

for (const { version, path } of snapraidVersions())
  describe(`bad blocks, snapraid ${version}`, { skip }, () => {
    test('are named; when there are others than those that were approved, those must be approved', async () => {
      const { array, folder } = folderArray(path, { job });
      const [one, other] = [join(folder, 'd1/film 1.mkv'), join(folder, 'd1/film 4.mkv')];
      const good = [one, other].map((file) => readFileSync(file));
      corrupt(one);
      const found = await scrubArray(array, array.input);
      assert.deepEqual([found.bad, found.files], [1, ['can be repaired: d1:film 1.mkv']]);
      corrupt(other);
      const now = await scrubArray(array, array.input);
      assert.equal(now.bad, 2);
      const { changed } = await repairBad(array, { ...array.input, digest: found.digest });
      assert.equal(changed?.digest, now.digest);
      assert.deepEqual(changed?.files, ['can be repaired: d1:film 1.mkv', 'can be repaired: d1:film 4.mkv']);
      assert.notDeepEqual(readFileSync(one), good[0], 'it was repaired all the same');
      const done = await repairBad(array, { ...array.input, digest: now.digest });
      assert.deepEqual([done.repaired, done.changed], [2, undefined]);
      // As a retry that was killed after its repair: the blocks are bad until they are read again.
      const again = await repairBad(array, { ...array.input, digest: now.digest });
      assert.deepEqual([again.repaired, again.changed], [0, undefined]);
      assert.equal((await scrubArray(array, { ...array.input, onlyBad: true })).bad, 0);
      assert.deepEqual(
        [one, other].map((file) => readFileSync(file)),
        good,
      );
    });
  });
