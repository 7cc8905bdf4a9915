import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SnapArray } from '../../activities/snapraid/array.js';
import { planByHand } from '../../activities/snapraid/by-hand.js';
import { guardDisks, missingDisks } from '../../activities/snapraid/guard.js';
import { mountsOf } from '../../activities/snapraid/mounts.js';
import { diff, fakeArray, note, status } from '../support/fake-snapraid.js';

/** An array whose disks lie below a folder that is a mount itself, as with /mnt on a file system of its own. */
function belowAMount() {
  const { array, folder, answer } = fakeArray({ config: { mounted: true, marker: '.holdfast' } });
  const parity = join(folder, 'p');
  const [d1, d2] = [join(folder, 'd1'), join(folder, 'd2')];
  const mounts = new Set([folder, d1, d2, parity]);
  const host = { ...array.tools.host, isMountPoint: async (path: string) => mounts.has(path) };
  for (const disk of [d1, d2]) mkdirSync(join(disk, '.holdfast'));
  const guarded: SnapArray = { ...array, tools: { ...array.tools, host } };
  return { array: guarded, mounts, d2, folder, answer };
}

test('a disk that is not mounted is missed, although its folder lies on another mount', async () => {
  const { array, mounts, d2, folder } = belowAMount();
  assert.deepEqual(await missingDisks(array), []);
  note(array, { kind: 'array-synced', run: 'nightly-earlier', mounts: await mountsOf(array) });
  assert.deepEqual(await missingDisks(array), []);
  mounts.delete(d2);
  const [missing] = await missingDisks(array);
  assert.equal(missing?.disk, 'd2');
  assert.match(missing?.why ?? '', new RegExp(`is not mounted at ${d2}: that lies on ${folder} now`));
  mounts.add(d2);
  mounts.delete(folder);
  assert.deepEqual(await missingDisks(array), []);
});

test('what is away is named with the command that plans just its replacement, whatever it held', async () => {
  for (const [away, plan] of [
    ['d2', /disk d2 is not mounted at .*Plan: holdfast do nightly replace-disk --set disk=d2 --plan$/],
    [
      'p',
      /disk parity is not mounted at .*Plan: holdfast do nightly rebuild-parity --set parity=parity --plan$/,
    ],
  ] as const) {
    const { array, mounts, folder } = belowAMount();
    note(array, { kind: 'array-synced', run: 'nightly-earlier', mounts: await mountsOf(array) });
    mounts.delete(join(folder, away));
    await assert.rejects(guardDisks(array), { code: 'HF_ARRAY_DISK_MISSING', message: plan });
  }
});

test('nothing is rebuilt into the empty folder of a disk that is not mounted', async () => {
  const { array, mounts, d2, answer } = belowAMount();
  answer('status', status());
  answer('diff', diff());
  note(array, { kind: 'array-synced', run: 'nightly-earlier', mounts: await mountsOf(array) });
  rmdirSync(join(d2, '.holdfast'));
  const input = { ...array.input, action: 'replace-disk', settings: { disk: 'd2' } };
  assert.equal((await planByHand(array, input)).refused, undefined);
  mounts.delete(d2);
  assert.match(
    (await planByHand(array, input)).refused ?? '',
    /Disk d2 is not mounted at .*: mount the new disk there first/,
  );
});
