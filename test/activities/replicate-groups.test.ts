import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ends, StreamEnd } from '../../activities/zfs/replicate-ends.js';
import { groupsOf, transferGroup } from '../../activities/zfs/replicate-group.js';
import { knownHolds } from '../../activities/zfs/replicate-known-holds.js';
import { fenceTag, holdTag } from '../../activities/zfs/replicate-names.js';
import type { DatasetPlan, PlanInput } from '../../activities/zfs/replicate-types.js';
import { dataset, listingOf, snapshot } from '../support/zfs-trees.js';

/** How what is due is spread over pipes, and what one of them does when a dataset fails. */

const plan = (name: string, level: number, more: Partial<DatasetPlan> = {}): DatasetPlan => ({
  kind: 'full',
  reason: '',
  source: `fast/${name}`,
  target: `backup/${name}`,
  type: 'filesystem',
  guid: '1',
  raw: false,
  behind: 1,
  segments: [{ from: undefined, to: 's', toGuid: '7', intermediates: false, bytes: 10 }],
  holds: ['s'],
  bytes: 10,
  level,
  ...more,
});

const targets = (groups: DatasetPlan[][]): string[][] =>
  groups.map((group) => group.map(({ target }) => target));

const tree = (bytes: number): DatasetPlan[] => [
  plan('k/a/b', 2, { bytes }),
  plan('k', 0),
  plan('k/c', 1, { bytes }),
  plan('k/a', 1, { bytes }),
];

test('a small tree that comes into being goes through one pipe, parents first', () => {
  assert.deepEqual(targets(groupsOf(tree(10), 4)), [
    ['backup/k', 'backup/k/c', 'backup/k/a', 'backup/k/a/b'],
  ]);
});

test('of a large tree that comes into being each level waits for the one above it, and lanes share it', () => {
  assert.deepEqual(targets(groupsOf(tree(2 ** 40), 4)), [['backup/k']]);
  const level = tree(2 ** 40).filter((one) => one.level === 1);
  assert.equal(groupsOf(level, 4).length, 2);
  assert.deepEqual(groupsOf([], 4), []);
});

/** Refuses the streams into these targets; what was asked for. */
const refusing = (...refused: string[]) => refusingWith('refused', refused);

function refusingWith(words: string, refused: readonly string[]): { ends: Ends; asked: string[][] } {
  const asked: string[][] = [];
  const ok = { ok: true, words: '' };
  const transfer: Ends['transfer'] = async (streams) => {
    asked.push(streams.map(({ target }) => target));
    const ends: StreamEnd[] = [];
    for (const { target } of streams) {
      const isRefused = refused.includes(target);
      ends.push({ sent: ok, received: isRefused ? { ok: false, words } : ok });
      if (isRefused) break;
    }
    return streams.map((_, at) => ends[at] ?? { sent: undefined, received: undefined });
  };
  return { ends: { transfer } as Ends, asked };
}

test('what would hang below a dataset that did not arrive is not sent, and everything else goes on', async () => {
  const { ends, asked } = refusing('backup/k/a');
  const own = [plan('k', 0), plan('k/a', 1), plan('k/a/b', 2), plan('k/ab', 1)];
  const done = await transferGroup(ends, own);
  assert.deepEqual(
    done.map(({ trouble }) => trouble),
    [undefined, 'refused', 'backup/k/a did not arrive', undefined],
  );
  assert.deepEqual(asked[1], ['backup/k/ab']);
});

test('a stream that the key of the replica refuses says which way is left', async () => {
  const { ends } = refusingWith(
    'cannot receive incremental stream: encryption key does not match existing key',
    ['backup/k'],
  );
  const [done] = await transferGroup(ends, [plan('k', 0)]);
  assert.match(done?.trouble ?? '', /existing key: it was received readable.* rename it aside/);
});

test('an incremental stream below one that failed is sent all the same: its replica is there', async () => {
  const { ends } = refusing('backup/k');
  const done = await transferGroup(ends, [plan('k', 0), plan('k/a', 0, { kind: 'incremental' })]);
  assert.deepEqual(
    done.map(({ trouble }) => trouble),
    ['refused', undefined],
  );
});

const quota = "cannot receive new filesystem stream: destination 'backup/k' space quota exceeded.";
const many = (count: number) => Array.from({ length: count }, (_, at) => plan(`k/${at}`, 1));
const arrivedOf = async (words: string, refused: readonly string[], plans = many(30)): Promise<number> => {
  const done = await transferGroup(refusingWith(words, refused).ends, plans);
  return done.filter(({ trouble }) => trouble === undefined).length;
};

test('a dataset over its quota, without rights or that stalls keeps nothing else from being sent', async () => {
  const names = many(30).map(({ target }) => target);
  for (const words of [quota, 'cannot receive: permission denied', 'nothing moved for 10m'])
    for (const refused of [names.slice(0, 1), [names[0] ?? '', names[2] ?? '', names[4] ?? '']])
      assert.equal(await arrivedOf(words, refused), 30 - refused.length, words);
  assert.equal(await arrivedOf(quota, names.slice(0, 19)), 11);
});

test('a stall behind datasets that failed with something else is the first of its kind', async () => {
  const names = many(4).map(({ target }) => target);
  const { ends } = refusingWith('refused', names.slice(0, 2));
  const stalled = refusingWith('nothing moved for 10m', names.slice(2, 3));
  const transfer: Ends['transfer'] = (streams) =>
    (streams[0]?.target === names[2] ? stalled.ends : ends).transfer(streams);
  const done = await transferGroup({ transfer } as Ends, many(4));
  assert.deepEqual(
    done.map(({ trouble }) => trouble),
    ['refused', 'refused', 'nothing moved for 10m', undefined],
  );
});

test('what all of them have ends the group: nothing waits for each stall, and a full pool is tried once', async () => {
  const names = many(30).map(({ target }) => target);
  for (const [words, tries] of [
    [quota, 20],
    ['nothing moved for 10m', 2],
    ['cannot receive: out of space', 1],
  ] as const) {
    const { ends, asked } = refusingWith(words, names);
    const done = await transferGroup(ends, many(30));
    assert.equal(asked.length, tries, words);
    assert.deepEqual(
      done.map(({ trouble }) => trouble?.startsWith('not begun: ')),
      names.map((_, at) => at >= tries),
    );
  }
});

test("only single holds on what this run has sent are taken for the run's own", () => {
  const run = 'copy-2026-11-20T03:00:00Z';
  const base = { kind: 'snapshot' as const, name: 'old', guid: '1000001', createtxg: 1, creationS: 1 };
  const plans = [plan('k', 0, { common: base }), plan('two', 0), plan('gone', 0)];
  const input = {
    source: listingOf([
      dataset('fast/k', {}, [snapshot('old', 1, { holds: 1 }), snapshot('s', 5, { holds: 1 })]),
      dataset('fast/two', {}, [snapshot('s', 5, { holds: 2 })]),
    ]),
    // The base may have another name there: the guid counts.
    target: listingOf([dataset('backup/k', {}, [snapshot('auto', 1, { holds: 1 }), snapshot('s', 5)])]),
    policy: { destination: 'grogu.tree' },
  } as unknown as PlanInput;
  assert.deepEqual(
    [...knownHolds({ plans, run }, input)],
    [
      ['fast/k@s', [holdTag('grogu.tree', run)]],
      ['backup/k@auto', [fenceTag]],
    ],
  );
  assert.equal(knownHolds(undefined, input).size, 0);
});
