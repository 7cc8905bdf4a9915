import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fenceTag, isCursor } from '../../activities/zfs/replicate-names.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import type { ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import { wholePolicy } from '../support/zfs-trees.js';
import { Crash, calm, ModelEnds, type ModelWatch } from './ends.js';
import { Pool, World } from './pool.js';
import { seeded } from './random.js';

/** A replica that is sent back to a pool that was lost or has an older state: killed anywhere, it ends whole and leaves nothing behind. */

const sourceRoot = 'fast/kubernetes';
const replicaRoot = 'backup/kubernetes';

const forwardPolicy = { ...wholePolicy, destination: 'grogu.kubernetes' };
const backPolicy: ReplicationPolicy = {
  ...forwardPolicy,
  destination: 'back.grogu.kubernetes',
  marks: 'none',
  onlyOwnKeys: true,
};

const run = (number: number): string => `replica-2026-11-20T03:00:${String(number).padStart(2, '0')}Z`;

async function forward(source: Pool, target: Pool, number: number) {
  const ends = new ModelEnds(source, sourceRoot, target, replicaRoot);
  const request = { sourceRoot, targetRoot: replicaRoot, policy: forwardPolicy };
  const options = { destination: forwardPolicy.destination, run: run(number), parallel: 2 };
  return { ends, end: await replicate(ends, request, options) };
}

async function back(replica: Pool, rebuilt: Pool, watch: ModelWatch, number: number): Promise<boolean> {
  const ends = new ModelEnds(replica, replicaRoot, rebuilt, sourceRoot, watch);
  const request = { sourceRoot: replicaRoot, targetRoot: sourceRoot, policy: backPolicy };
  const options = { destination: backPolicy.destination, run: run(number), parallel: 2 };
  try {
    await replicate(ends, request, options);
    return true;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return false;
  } finally {
    for (const { words, stream } of ends.sent)
      assert(!stream.encrypted || stream.raw, `left readable: ${words.join(' ')}`);
  }
}

async function replicated(): Promise<{ world: World; source: Pool; replica: Pool }> {
  const world = new World();
  const source = new Pool(world, 'fast');
  const replica = new Pool(world, 'backup');
  source.create(sourceRoot);
  source.create(`${sourceRoot}/pvc one`).written = 500;
  source.create(`${sourceRoot}/secret`, { encrypted: true }).written = 300;
  source.create(`${sourceRoot}/vol`, { type: 'volume' }).written = 200;
  for (const name of ['one', 'two', 'three'])
    for (const { name: dataset } of source.below(sourceRoot)) source.takeSnapshot(`${dataset}@${name}`);
  await forward(source, replica, 1);
  return { world, source, replica };
}

const guidsOf = (pool: Pool, root: string): string[] =>
  pool
    .below(root)
    .flatMap(({ name, snapshots }) => snapshots.map(({ guid }) => `${name.slice(root.length)} ${guid}`))
    .sort();

test('killed before and after any command on the way back: all snapshots are there, and neither cursors, holds nor fences of it', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const { world, replica } = await replicated();
    const rebuilt = new Pool(world, 'fast');
    const watch: ModelWatch = {
      between(what) {
        if (random.chance(1, 15)) throw new Crash(what);
      },
      cut: () => (random.chance(1, 5) ? random.below(10) / 10 : undefined),
      pick: (limit) => random.below(limit),
    };
    for (let number = 2; number < 12; number++) await back(replica, rebuilt, watch, number);
    assert(await back(replica, rebuilt, calm, 20));
    assert.deepEqual(guidsOf(rebuilt, sourceRoot), guidsOf(replica, replicaRoot), `seed ${seed}`);
    const marks = rebuilt
      .below(sourceRoot)
      .flatMap(({ snapshots, bookmarks }) => [
        ...bookmarks.map(({ name }) => name),
        ...snapshots.flatMap(({ holds }) => [...holds]),
      ]);
    assert.deepEqual(marks, [], `seed ${seed}: marks on what came back`);
    const held = replica
      .below(replicaRoot)
      .flatMap(({ snapshots, bookmarks }) => [
        ...bookmarks.map(({ name }) => name),
        ...snapshots.flatMap(({ holds }) => [...holds].filter((tag) => tag !== fenceTag)),
      ]);
    assert.deepEqual(held, [], `seed ${seed}: marks on the replica`);
  }
});

test('after the way back replication is incremental from what both sides have, and idle when nothing is new', async () => {
  const { world, replica } = await replicated();
  const rebuilt = new Pool(world, 'fast');
  assert(await back(replica, rebuilt, calm, 2));
  const first = await forward(rebuilt, replica, 3);
  assert.deepEqual(first.ends.sent, []);
  assert.deepEqual([...new Set(first.end.last.plans.map(({ kind }) => kind))], ['nothing']);
  for (const { bookmarks } of rebuilt.below(sourceRoot))
    assert.equal(bookmarks.filter(({ name }) => isCursor(name, forwardPolicy.destination)).length, 1);
  for (const { name } of rebuilt.below(sourceRoot)) rebuilt.takeSnapshot(`${name}@four`);
  const second = await forward(rebuilt, replica, 4);
  assert.deepEqual([...new Set(second.ends.sent.map(({ stream }) => stream.parts.length))], [1]);
  assert(second.ends.sent.every(({ stream }) => stream.parts[0]?.fromGuid !== undefined));
  assert.equal((await forward(rebuilt, replica, 5)).ends.commands, 2);
});

test('a pool that was rolled back gets only what it lacks; one that was written to is left alone', async () => {
  const { source, replica } = await replicated();
  const plain = `${sourceRoot}/pvc one`;
  source.rollback(`${plain}@one`);
  const ends = new ModelEnds(replica, replicaRoot, source, sourceRoot);
  const request = { sourceRoot: replicaRoot, targetRoot: sourceRoot, policy: backPolicy };
  const options = { destination: backPolicy.destination, run: run(2), parallel: 2 };
  await replicate(ends, request, options);
  assert.deepEqual(
    ends.sent.map(({ words }) => words.slice(-3)),
    [['-I', `${replicaRoot}/pvc one@one`, `${replicaRoot}/pvc one@three`]],
  );
  source.rollback(`${plain}@one`);
  source.dataset(plain).written = 7;
  const { last } = await replicate(ends, request, { ...options, run: run(3) });
  const plan = last.plans.find(({ target }) => target === plain);
  assert.equal(plan?.kind, 'diverged');
  assert.equal(source.dataset(plain).written, 7);
});
