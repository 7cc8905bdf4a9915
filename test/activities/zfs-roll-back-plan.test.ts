import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRollBack } from '../../activities/zfs/roll-back-plan.js';
import { bookmark, dataset, snapshot } from '../support/zfs-trees.js';

const root = 'fast/k';
const run = 'hourly.restore-2026-11-20T03:00:00Z';
const one = () => snapshot('one', 10, { job: 'hourly', run: 'hourly-1' });
const two = () => snapshot('two', 20, { job: 'hourly', run: 'hourly-2' });
const top = (more = {}) =>
  dataset(root, { mounted: true, bookmarks: [bookmark('holdfast_grogu_77', 20, '77')], ...more }, [
    one(),
    two(),
  ]);

test('what is shown names what goes aside, what has no such snapshot, the disks, and where replication will stop', () => {
  const tree = [
    top(),
    dataset(`${root}/late`, { mounted: true }, [two()]),
    dataset(`${root}/vol`, { type: 'volume' }, [one()]),
  ];
  const plan = planRollBack(tree, { root, run, copy: 'one', job: 'hourly' });
  assert.deepEqual(
    [plan.aside, plan.back],
    [
      `${root}.before-hourly.restore-2026-11-20T030000Z`,
      `${root}.restored-hourly.restore-2026-11-20T030000Z`,
    ],
  );
  assert.deepEqual(
    plan.datasets.map(({ below }) => below),
    ['', '/vol'],
  );
  assert.deepEqual(
    [plan.mounted, plan.mounting],
    [
      ['', '/late'],
      ['', '/late'],
    ],
  );
  const words = plan.steps.join('\n');
  for (const expected of [
    /newer +1 newer snapshots.*fast\/k@two/,
    /left +1 .*late/,
    /disks +1 zvols.*vol/,
    /replicas +1 .*grogu/,
  ])
    assert.match(words, expected);
});

test('what cannot be done whole is refused before anything is touched', () => {
  const at = { root, run, copy: 'one' };
  const refused = (message: RegExp) => ({ code: 'HF_TARGET_REFUSED', message });
  const below = [top(), dataset(`${root}/a`, {}, [two()]), dataset(`${root}/a/b`, {}, [one()])];
  assert.throws(() => planRollBack(below, at), refused(/dataset above it has not/));
  const locked = { keyStatus: 'unavailable', encryptionRoot: root };
  assert.throws(() => planRollBack([top(locked)], at), refused(/zfs load-key fast\/k/));
  assert.throws(() => planRollBack([top({ mountpoint: 'legacy' })], at), refused(/legacy/));
  const pool = [dataset('fast', {}, [one()])];
  assert.throws(() => planRollBack(pool, { ...at, root: 'fast' }), refused(/whole pool/));
  // Beside it every name is longer, those of snapshots as well: ZFS would refuse after everything was unmounted.
  const long = (length: number) => [top(), dataset(`${root}/${'x'.repeat(length)}`, {}, [one()])];
  assert.equal(planRollBack(long(201), at).datasets.length, 2);
  assert.throws(() => planRollBack(long(202), at), refused(/255 characters/));
  assert.throws(
    () => planRollBack([top(), dataset(`${root}/a`, {}, [one(), snapshot('s'.repeat(204), 30)])], at),
    refused(/255 characters/),
  );
  assert.throws(() => planRollBack([top()], { ...at, copy: 'none' }), { code: 'HF_COPY_NOT_FOUND' });
});
