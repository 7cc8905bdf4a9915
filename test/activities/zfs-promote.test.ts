import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promoteWords } from '../../activities/zfs/promote.js';
import { bookmark, dataset, listingOf, snapshot } from '../support/zfs-trees.js';

/** What a clone that takes the place of its origin takes over before it is promoted. */

const [one, two] = [snapshot('one', 10), snapshot('two', 20)];
const cursor = (destination: string, txg: number, guid: string) =>
  bookmark(`holdfast_${destination}_${guid}`, txg, guid);

const former = dataset(
  'fast/k8s.before',
  {
    bookmarks: [
      cursor('lagging.k8s', 5, '77'),
      cursor('grogu.k8s', 10, one.guid),
      bookmark('mine', 10, one.guid),
      cursor('near.k8s', 20, two.guid),
    ],
  },
  [one, two],
);
const wordsFor = (more: object) =>
  promoteWords(listingOf([former, dataset('fast/k8s', more)]), 'fast/k8s', 'fast/k8s.before');

test('the bases of copies that lag come along before the promotion, also where only a bookmark is left', () => {
  assert.deepEqual(wordsFor({ origin: 'fast/k8s.before@one' }), [
    ['bookmark', 'fast/k8s.before#holdfast_lagging.k8s_77', 'fast/k8s#holdfast_lagging.k8s_77'],
    ['bookmark', `fast/k8s.before#holdfast_grogu.k8s_${one.guid}`, `fast/k8s#holdfast_grogu.k8s_${one.guid}`],
    ['promote', 'fast/k8s'],
  ]);
});

test('an attempt that was cut goes on with what is missing, and does nothing once it is promoted', () => {
  const bookmarks = [cursor('lagging.k8s', 5, '77'), cursor('grogu.k8s', 10, one.guid)];
  assert.deepEqual(wordsFor({ origin: 'fast/k8s.before@one', bookmarks }), [['promote', 'fast/k8s']]);
  assert.deepEqual(wordsFor({ bookmarks }), []);
  assert.deepEqual(wordsFor({ origin: 'fast/other@one' }), []);
});
