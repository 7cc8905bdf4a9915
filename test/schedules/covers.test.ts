import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { coverOnly, pairsOf, partsOf, readCovers, splitPoint, withPoints } from '../../contracts/covers.js';
import { coversOf, type Placed } from '../../schedules/covers.js';

/** What a run says that it covers must stay readable however many pairs of resource and store a job has. */

const named = (kind: string, count: number): Placed[] =>
  Array.from({ length: count }, (_, at) => ({ name: `${kind}-${at}`, place: `/${kind}/${at}` }));
const names = (things: readonly Placed[]) => things.map(({ name }) => name);
const job = (resources: number, stores: number) => {
  const whole = { resources: named('resource', resources), stores: named('store', stores) };
  return {
    ...whole,
    pairs: pairsOf(names(whole.resources), names(whole.stores)),
    text: coversOf('backup', whole),
  };
};

for (const { words, resources, stores, form } of [
  { words: 'few pairs', resources: 2, stores: 3, form: /^resource-0>store-0@[0-9a-f]{8} / },
  { words: 'twelve pairs', resources: 6, stores: 2, form: /^~[\w-]{6} / },
  { words: 'thirty pairs', resources: 10, stores: 3, form: /^~[\w-]{6} / },
])
  describe(`what is covered by a job of ${words}`, () => {
    const { pairs, text } = job(resources, stores);

    test('is told apart pair by pair, and fits into a keyword', () => {
      assert.match(text, form);
      assert(text.length <= 250, `${text.length}`);
      assert.equal(new Set(partsOf(text)).size, resources * stores);
      assert.deepEqual(
        readCovers(text, pairs).map(({ pair }) => pair),
        pairs,
      );
    });

    test('can be narrowed to one store, and its parts are those of the whole', () => {
      const inStore = coverOnly(text, pairs, ({ store }) => store === 'store-1') ?? '';
      assert.equal(partsOf(inStore).length, resources);
      assert(partsOf(inStore).every((part) => partsOf(text).includes(part)));
      const own = pairs.filter(({ store }) => store === 'store-1');
      const one = coverOnly(inStore, own, ({ resource }) => resource === 'resource-1') ?? '';
      const at = pairs.findIndex(({ resource, store }) => resource === 'resource-1' && store === 'store-1');
      assert.equal(one, partsOf(text)[at]);
      assert.equal(
        coverOnly(text, pairs, () => false),
        undefined,
      );
    });
  });

test('a part of a job is written as the whole is, however short it would be', () => {
  const { resources, stores, text } = job(6, 2);
  const part = coversOf('backup', { resources: resources.slice(0, 1), stores }, { resources, stores });
  assert.equal(part, partsOf(text).slice(0, 2).join(' '));
});

test('another place under the same name is another part', () => {
  const { resources, stores, text } = job(6, 2);
  const moved = resources.map((one, at) => (at === 3 ? { ...one, place: '/elsewhere' } : one));
  const now = partsOf(coversOf('backup', { resources: moved, stores }));
  assert.equal(now.filter((part) => partsOf(text).includes(part)).length, 10);
});

test('digests are not read by the place of other pairs than those that they were made of', () => {
  const { pairs, text } = job(6, 2);
  assert.equal(
    coverOnly(text, pairs.slice(1), () => true),
    undefined,
  );
});

test('of more pairs than fit, all are one digest, which covers nothing in part', () => {
  const { pairs, text } = job(20, 3);
  assert.match(text, /^#[0-9a-f]{32}$/);
  assert.equal(
    coverOnly(text, pairs, () => true),
    undefined,
  );
});

test('parts carry a moment of their own, to the minute and never later', () => {
  const { pairs, text } = job(2, 1);
  const dated = withPoints(text, pairs, ({ resource }) =>
    resource === 'resource-1' ? new Date('2026-11-20T03:30:59Z') : undefined,
  );
  const [first, second] = partsOf(dated).map(splitPoint);
  assert.deepEqual(first, { part: partsOf(text)[0] });
  assert.deepEqual(second, { part: partsOf(text)[1], point: new Date('2026-11-20T03:30:00Z') });
  assert(dated.length < 250);
});

test('moments that do not fit are left out', () => {
  const { pairs, text } = job(30, 1);
  assert.equal(
    withPoints(text, pairs, () => new Date()),
    text,
  );
});
