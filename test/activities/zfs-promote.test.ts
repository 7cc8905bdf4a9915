import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promoteWords } from '../../activities/zfs/promote.js';
import { bookmark, dataset, listingOf, snapshot } from '../support/zfs-trees.js';

/** When a clone may take the place of its origin. */

const [one, two] = [snapshot('one', 10), snapshot('two', 20)];
const bookmarks = [bookmark('old', 5, '77'), bookmark('base', 10, one.guid), bookmark('new', 20, two.guid)];
const former = dataset('fast/k8s.before', { bookmarks }, [one, two]);
const wordsFor = (more: object) =>
  promoteWords(listingOf([former, dataset('fast/k8s', more)]), 'fast/k8s', 'fast/k8s.before');
const origin = 'fast/k8s.before@one';

test('a clone is promoted without any bookmark being copied before: promoting takes them over', () => {
  assert.deepEqual(wordsFor({ origin }), [['promote', 'fast/k8s']]);
  assert.deepEqual(wordsFor({ origin, bookmarks: [bookmark('new', 20, two.guid)] }), [
    ['promote', 'fast/k8s'],
  ]);
});

test('a bookmark of one name on both, which would hang the pool, refuses', () => {
  for (const name of ['old', 'base'])
    assert.throws(
      () => wordsFor({ origin, bookmarks: [bookmark(name, 10, '1')] }),
      new RegExp(`both have a bookmark #${name}, which would hang the pool`),
    );
});

test('once it is promoted, or where it is of something else, nothing is done', () => {
  assert.deepEqual(wordsFor({ bookmarks }), []);
  assert.deepEqual(wordsFor({ origin: 'fast/other@one' }), []);
});
