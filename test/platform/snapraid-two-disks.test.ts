import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { SnapArray } from '../../activities/snapraid/array.js';
import { actByHand, planByHand } from '../../activities/snapraid/by-hand.js';
import { parseConf } from '../../activities/snapraid/conf.js';
import { guardDisks } from '../../activities/snapraid/guard.js';
import { snapraidVersions } from '../../lab/places.js';
import { fill, makeArray, type TestArray } from '../support/array.js';
import { fakeArray } from '../support/fake-snapraid.js';
import { needs } from '../support/needs.js';

/** Two dead disks of a real array: what can still be had back is said before anything is bought, and comes back. */

const skip = needs('mount', 'snapraid');

function arrayWith(parities: 1 | 2, binary: string) {
  const array = makeArray({ disks: 3, parities, megabytes: 16, binary });
  fill(array, 12);
  assert.equal(array.snapraid('sync').code, 0);
  const { array: bare } = fakeArray({ config: { mounted: true, marker: '.holdfast' } });
  const conf = parseConf(readFileSync(array.config, 'utf8'));
  const opened: SnapArray = { ...bare, conf, called: { file: binary, config: array.config } };
  return { array, opened };
}

const inputOf = ({ input }: SnapArray, disk: string, run = input.run) => ({
  ...input,
  run,
  action: 'replace-disk',
  settings: { disk },
});

async function replace(opened: SnapArray, disk: string, run: string) {
  const array = { ...opened, input: { ...opened.input, run } };
  const input = inputOf(array, disk);
  const { digest } = await planByHand(array, input);
  return actByHand(array, { ...input, digest });
}

function filmsOf(array: TestArray, disk: string): string[] {
  const names = readdirSync(array.pathOf(disk, 'Films'), { recursive: true }).map(String).sort();
  return names.flatMap((name) => {
    if (!name.endsWith('.mkv')) return [];
    return [`${name} ${readFileSync(join(array.pathOf(disk, 'Films'), name)).toString('base64')}`];
  });
}

for (const { version, path } of snapraidVersions())
  describe(`two dead disks, snapraid ${version}`, { skip }, () => {
    test('come back one after the other from two parities, and nothing is synced in between', async () => {
      const { array, opened } = arrayWith(2, path);
      const lost = ['d2', 'd3'].map((disk) => filmsOf(array, disk));
      for (const disk of ['d2', 'd3']) array.data[disk]?.unmount();
      // Their mount points are there, empty, on the root file system.
      await assert.rejects(guardDisks(opened), {
        code: 'HF_ARRAY_DISK_MISSING',
        message:
          /^Do not sync "media": d2 and d3 are away, and 2 parities are left: enough to rebuild them.* disk d2 is not mounted at .*replace-disk --set disk=d2 --plan$/,
      });
      const plan = await planByHand(opened, inputOf(opened, 'd2'));
      assert.match(plan.refused ?? '', /^Disk d2 is not mounted at .*: mount the new disk there first$/);
      const words = plan.lines.join('\n');
      assert.match(words, /^d2 and d3 are away, and 2 parities are left: enough to rebuild them/m);
      assert.match(words, /^d3 is not mounted at /m);
      assert.match(words, /every file can be had back all the same/);

      array.data.d2?.renew();
      const early = await planByHand(opened, inputOf(opened, 'd2'));
      assert.match(early.refused ?? '', /^d3 is not mounted at .* too: .*mount a new disk there as well/);
      await assert.rejects(actByHand(opened, { ...inputOf(opened, 'd2'), digest: early.digest }), {
        code: 'HF_ARRAY_DISK_MISSING',
      });
      assert.deepEqual(readdirSync(array.pathOf('d2')), ['lost+found']);

      array.data.d3?.renew();
      await assert.rejects(replace(opened, 'd2', 'first'), {
        code: 'HF_ARRAY_DISK_MISSING',
        message:
          /^disk d2 is rebuilt \(every file of d2 was read again.*, 0 files are lost\)\. Do not sync yet: d3 has no marker .*--set disk=d3 --plan$/,
      });
      const { recovered, lostCount } = await replace(opened, 'd3', 'second');
      assert.deepEqual([recovered, lostCount], [13, 0]);
      assert.deepEqual(
        ['d2', 'd3'].map((disk) => filmsOf(array, disk)),
        lost,
      );
      await guardDisks(opened);
    });

    test('are more than one parity can bring back, and that is said first', async () => {
      const { array, opened } = arrayWith(1, path);
      for (const disk of ['d2', 'd3']) array.data[disk]?.unmount();
      await assert.rejects(guardDisks(opened), {
        message:
          /^Do not sync "media": d2 and d3 are away, and 1 parity is left: where they held something at the same places it is lost/,
      });
      const { lines } = await planByHand(opened, inputOf(opened, 'd2'));
      const words = lines.join('\n');
      assert.match(words, /^d2 and d3 are away, and 1 parity is left/m);
      assert.match(words, /what shares its places with them can be lost: check=full names each/);
      assert.doesNotMatch(words, /every file/);

      // With the other one back again, but a parity that was cut, nobody may promise anything either.
      array.data.d3?.mount();
      truncateSync(opened.conf.parity[0]?.files[0] ?? '', 0);
      const cut = await planByHand(opened, inputOf(opened, 'd2'));
      assert.match(cut.refused ?? '', /^No parity is left/);
      assert.match(cut.lines.join('\n'), /^d2 is away, and no parity is left: nothing of it/m);
      assert.doesNotMatch(cut.lines.join('\n'), /every file/);
    });
  });
