import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FilesRequest, planFiles } from '../../activities/zfs/files-plan.js';
import type { Dataset } from '../../activities/zfs/types.js';
import { dataset, snapshot } from '../support/zfs-trees.js';

const root = 'fast/k';
const own = (name: string, txg: number) => snapshot(name, txg, { run: `hourly-${txg}`, job: 'hourly' });
const tree: Dataset[] = [
  dataset(root, {}, [own('one', 10), snapshot('by-hand', 15), own('two', 20)]),
  dataset(`${root}/a`, {}, [own('one', 10), own('two', 20)]),
  dataset(`${root}/a/deep er`, {}, [own('one', 10), own('two', 20)]),
  dataset(`${root}/lags`, {}, [own('one', 10)]),
  dataset(`${root}/vol`, { type: 'volume' }, [own('two', 20)]),
  dataset(`${root}/young`, { createtxg: 25 }, []),
];
const plan = (paths: string[], more: Partial<FilesRequest> = {}, datasets = tree) =>
  planFiles(datasets, { root, paths, job: 'hourly', ...more });
const placesOf = (paths: string[], more: Partial<FilesRequest> = {}) =>
  plan(paths, more).pieces.map(({ dataset: name, within, place }) => [name, within, place]);

test('without paths every dataset comes with its files, each at its own place, and what cannot come is named', () => {
  const { pieces, snapshot: name, notes } = plan([]);
  assert.equal(name, 'two');
  assert.deepEqual(
    pieces.map(({ place, inner }) => [place, inner]),
    [
      ['', ['a']],
      ['a', ['deep er']],
      ['a/deep er', []],
    ],
  );
  assert.deepEqual(notes, [
    'fast/k/lags has no snapshot @two',
    'fast/k/vol is a zvol: there are no files in it',
  ]);
});

test('a path begins in the deepest dataset on its way, and one that lies in another is not copied twice', () => {
  assert.deepEqual(placesOf(['a/deep er/x/y']), [[`${root}/a/deep er`, 'x/y', 'a/deep er/x/y']]);
  assert.deepEqual(placesOf(['./other//x/']), [[root, 'other/x', 'other/x']]);
  assert.deepEqual(placesOf(['a', 'a/file']), [
    [`${root}/a`, '', 'a'],
    [`${root}/a/deep er`, '', 'a/deep er'],
  ]);
  assert.deepEqual(placesOf(['a file']), [[root, 'a file', 'a file']]);
});

test('the snapshot is the newest of the job, or the one that was named, or the newest not younger', () => {
  assert.equal(plan(['x'], { at: new Date((1_795_000_000 + 16) * 1000).toISOString() }).snapshot, 'one');
  assert.equal(plan(['x'], { copy: 'by-hand' }).snapshot, 'by-hand');
  assert.equal(plan(['lags/x', 'x']).snapshot, 'one');
  const missing = { code: 'HF_COPY_NOT_FOUND' };
  assert.throws(() => plan(['x'], { copy: 'none' }), missing);
  assert.throws(() => plan(['x'], { at: '2001-01-01T00:00:00Z' }), missing);
  assert.throws(() => plan(['young/x']), missing);
});

test('a zvol has no files, and a dataset whose key is not loaded cannot be read: both say what to do instead', () => {
  assert.throws(() => plan(['vol']), { code: 'HF_PATH_NOT_FOUND', message: /zvol.*--clone/ });
  const locked = tree.map((one) =>
    one.name === `${root}/a` ? { ...one, keyStatus: 'unavailable', encryptionRoot: `${root}/a` } : one,
  );
  assert.throws(() => plan([], {}, locked), {
    code: 'HF_SOURCE_MISSING',
    message: /zfs load-key fast\/k\/a/,
  });
  assert.equal(plan(['x'], {}, locked).pieces.length, 1);
});
