import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fenceTag } from '../../activities/zfs/replicate-names.js';
import { doomedOf, rollBackApproved } from '../../activities/zfs/replicate-rollback.js';
import type { Destroy } from '../../activities/zfs/replicate-rollback-steps.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import { survey } from '../../activities/zfs/replicate-survey.js';
import { wholePolicy } from '../support/zfs-trees.js';
import { Crash, calm, ModelEnds } from './ends.js';
import { Pool, World } from './pool.js';

/** Rolling back by approval, on two pools of the model: what was shown, and nothing else, is lost. */

const request = {
  sourceRoot: 'fast/k',
  targetRoot: 'backup/k',
  policy: wholePolicy,
} as const;

/** Copied whole at @one; then somebody writes to both children over there and takes a snapshot of one. */
async function diverged(watch = calm) {
  const world = new World();
  const [source, target] = [new Pool(world, 'fast'), new Pool(world, 'backup')];
  for (const name of ['fast/k', 'fast/k/a', 'fast/k/b c']) {
    source.create(name).written = 10;
    source.takeSnapshot(`${name}@one`);
  }
  const run = { destination: 'grogu.k', run: 'copy-2026-11-20T03:00:00Z', parallel: 2 };
  await replicate(new ModelEnds(source, 'fast/k', target, 'backup/k'), request, run);
  target.dataset('backup/k/a').written = 7;
  target.takeSnapshot('backup/k/a@theirs');
  target.dataset('backup/k/b c').written = 5;
  const ends = new ModelEnds(source, 'fast/k', target, 'backup/k', watch);
  ends.approved = true;
  const again = async () => (await replicate(ends, request, run)).last.plans.map(({ kind }) => kind);
  const destroy = destroyOn(target, watch);
  return { source, target, ends, again, destroy };
}

/** As the channel program does. */
const destroyOn =
  (pool: Pool, watch = calm): Destroy =>
  async (gone) => {
    const left = new Map<string, string>();
    for (const { dataset, snapshot: name, guid } of gone) {
      const full = `${dataset}@${name}`;
      const found = pool.dataset(dataset).snapshots.find((one) => one.name === name);
      if (found && found.guid !== guid) left.set(full, 'is another snapshot by now');
      else if (found?.holds.size) left.set(full, 'is held');
      else if (found) pool.destroySnapshot(full);
      watch.between(`after destroy ${full}`);
    }
    return left;
  };

test('what would be lost is told by name and bytes, and after a yes the replica goes on from its base', async () => {
  const { target, ends, again, destroy } = await diverged();
  const { doomed, refused } = doomedOf(await survey(ends, request));
  assert.deepEqual(refused, []);
  assert.match(doomed[0]?.words ?? '', /^backup\/k\/a to @one: lost are @theirs with 7 bytes \(/);
  assert.match(doomed[1]?.words ?? '', /^backup\/k\/b c to @one: lost are 5 bytes written since \(/);
  const { done, warnings } = await rollBackApproved(ends, request, doomed, destroy);
  assert.deepEqual([done, warnings], [['backup/k/a@one', 'backup/k/b c@one'], []]);
  assert.deepEqual(
    target.dataset('backup/k/a').snapshots.map(({ name }) => name),
    ['one'],
  );
  assert.deepEqual(await again(), ['nothing', 'nothing', 'nothing']);
});

test('only the dataset that is named, on either side, is asked about', async () => {
  const { ends } = await diverged();
  const now = await survey(ends, request);
  for (const name of ['fast/k/b c', 'backup/k/b c'])
    assert.deepEqual(
      doomedOf(now, name).doomed.map(({ target }) => target),
      ['backup/k/b c'],
    );
});

test('what has changed since it was shown is left alone, the rest is done', async () => {
  const { target, ends, destroy } = await diverged();
  const { doomed } = doomedOf(await survey(ends, request));
  target.dataset('backup/k/a').written = 1;
  const { done, warnings } = await rollBackApproved(ends, request, doomed, destroy);
  assert.deepEqual(done, ['backup/k/b c@one']);
  assert.match(warnings[0] ?? '', /^backup\/k\/a has changed since it was shown/);
  assert.equal(target.dataset('backup/k/a').snapshots.length, 2);
});

test('a hold of others is not let go of, and our own fence comes back where nothing was rolled back', async () => {
  const { target, ends, destroy } = await diverged();
  const { snapshot } = target.snapshot('backup/k/a@theirs');
  snapshot.holds.add(fenceTag).add('somebody');
  const { doomed } = doomedOf(await survey(ends, request));
  const { done, warnings } = await rollBackApproved(ends, request, doomed, destroy);
  assert.deepEqual(done, ['backup/k/b c@one']);
  assert.match(warnings[0] ?? '', /^backup\/k\/a is not rolled back: .*@theirs is held \(somebody\)/);
  assert.deepEqual([...snapshot.holds].sort(), [fenceTag, 'somebody']);
});

test('a name that was taken over there goes by a roll-back where it is newer than the base, and is refused where it is not', async () => {
  const { source, target, ends, again, destroy } = await diverged();
  for (const name of ['backup/k/a', 'backup/k/b c']) target.rollback(`${name}@one`);
  const auto = 'auto-2026-11-20_03-00';
  target.takeSnapshot(`backup/k/a@${auto}`);
  for (const name of ['fast/k', 'fast/k/a', 'fast/k/b c']) source.takeSnapshot(`${name}@${auto}`);
  source.snapshot('fast/k/b c@one').snapshot.name = 'renamed';
  source.takeSnapshot('fast/k/b c@one');
  const before = await again();
  assert.deepEqual(before, ['nothing', 'diverged', 'diverged'], 'each stops alone');
  const { doomed, refused } = doomedOf(await survey(ends, request));
  assert.match(refused.join(), /^backup\/k\/b c: a roll-back does not help: .*zfs rename/);
  assert.match(doomed[0]?.words ?? '', /lost are @auto-2026-11-20_03-00 with 0 bytes .*made by TrueNAS/);
  assert.equal(doomed.length, 1);
  const { done, warnings } = await rollBackApproved(ends, request, doomed, destroy);
  assert.deepEqual([done, warnings], [['backup/k/a@one'], []]);
  target.snapshot('backup/k/b c@one').snapshot.name = 'renamed by hand';
  assert.deepEqual(await again(), ['nothing', 'nothing', 'nothing']);
});

test('killed in the middle, a second attempt says what the first one did', async () => {
  let left = Number.POSITIVE_INFINITY;
  const watch = {
    ...calm,
    between(what: string) {
      if (what.startsWith('after rollback') && left-- <= 0) throw new Crash(what);
    },
  };
  const { ends, destroy } = await diverged(watch);
  const { doomed } = doomedOf(await survey(ends, request));
  left = 0;
  await assert.rejects(rollBackApproved(ends, request, doomed, destroy), Crash);
  left = Number.POSITIVE_INFINITY;
  const { done, warnings } = await rollBackApproved(ends, request, doomed, destroy);
  assert.deepEqual([done.sort(), warnings], [['backup/k/a@one', 'backup/k/b c@one'], []]);
});

test('what somebody adds after the last look is not lost with the rest', async () => {
  const { target, ends, destroy } = await diverged();
  const { doomed } = doomedOf(await survey(ends, request));
  const meddling: Destroy = (gone) => {
    target.takeSnapshot('backup/k/a@after');
    return destroy(gone);
  };
  const { done, warnings } = await rollBackApproved(ends, request, doomed, meddling);
  assert.deepEqual(done, ['backup/k/b c@one']);
  assert.match(warnings[0] ?? '', /^backup\/k\/a is not rolled back: .*more recent snapshots/);
  assert(target.dataset('backup/k/a').snapshots.some(({ name }) => name === 'after'));
});

test('a name that was given to another snapshot since is not destroyed in its place', async () => {
  const { target, ends, destroy } = await diverged();
  const { doomed } = doomedOf(await survey(ends, request));
  const swapping: Destroy = (gone) => {
    target.destroySnapshot('backup/k/a@theirs');
    target.takeSnapshot('backup/k/a@theirs');
    return destroy(gone);
  };
  const { warnings } = await rollBackApproved(ends, request, doomed, swapping);
  assert.match(warnings[0] ?? '', /@theirs is another snapshot by now/);
  assert.equal(target.dataset('backup/k/a').snapshots.length, 2);
});

test('killed among the snapshots that go, a second attempt goes on with those that are left', async () => {
  let dies = true;
  const watch = {
    ...calm,
    between(what: string) {
      if (dies && what.startsWith('after destroy')) throw new Crash(what);
    },
  };
  const { target, ends, destroy } = await diverged(watch);
  target.dataset('backup/k/a').written = 3;
  target.takeSnapshot('backup/k/a@second');
  const { doomed } = doomedOf(await survey(ends, request));
  await assert.rejects(rollBackApproved(ends, request, doomed, destroy), Crash);
  dies = false;
  assert.equal(target.dataset('backup/k/a').snapshots.length, 2, 'one of two is gone');
  const { done, warnings } = await rollBackApproved(ends, request, doomed, destroy);
  assert.deepEqual([done.sort(), warnings], [['backup/k/a@one', 'backup/k/b c@one'], []]);
});

test('half received state and clones are refused, with what stands in the way', async () => {
  const { target, ends } = await diverged();
  const now = await survey(ends, request);
  const there = new Map(now.input.target);
  const plain = there.get('backup/k/b c');
  assert(plain);
  there.set('backup/k/clone', { ...plain, name: 'backup/k/clone', origin: 'backup/k/a@theirs' });
  there.set('backup/k/b c', { ...plain, resumeToken: '1-x' });
  const input = { ...now.input, target: there };
  const { doomed, refused } = doomedOf({ ...now, input });
  assert.deepEqual(doomed, []);
  assert.match(refused[0] ?? '', /^backup\/k\/a: backup\/k\/clone is a clone of what would be destroyed$/);
  assert.match(refused[1] ?? '', /^backup\/k\/b c: it holds partially received state/);
  assert.equal(target.dataset('backup/k/a').snapshots.length, 2);
});
