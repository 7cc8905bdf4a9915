import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learnBrought } from '../../activities/zfs/brought.js';
import { proofOf, replicaStates } from '../../activities/zfs/replicate-lag.js';
import { cursorName, fenceTag } from '../../activities/zfs/replicate-names.js';
import { forgottenTokens, strangersIn } from '../../activities/zfs/replicate-proof.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import { settle, survey } from '../../activities/zfs/replicate-survey.js';
import { wholePolicy } from '../support/zfs-trees.js';
import { ModelEnds } from './ends.js';
import { snapshotTree } from './foreign.js';
import { Pool, World } from './pool.js';
import { openSend, receivePart } from './streams.js';

/** A parent gets a new name on the source: what lies below it moves along, and is known under its old name until then. */

const [sourceRoot, targetRoot] = ['fast/vms', 'backup/vms'];
const request = { sourceRoot, targetRoot, policy: wholePolicy };
const run = 'hourly-2026-11-20T03:00:00Z';

function estate() {
  const world = new World();
  const [source, target] = [new Pool(world, 'fast'), new Pool(world, 'backup')];
  for (const name of ['', '/old', '/old/disk 1']) source.create(`${sourceRoot}${name}`).written = 100;
  snapshotTree(source, sourceRoot, run);
  const endsWith = () => new ModelEnds(source, sourceRoot, target, targetRoot);
  const rename = (): void => {
    source.rename(`${sourceRoot}/old`, `${sourceRoot}/new`);
    source.rename(`${sourceRoot}/new/disk 1`, `${sourceRoot}/new/disk 2`);
  };
  return { source, target, endsWith, rename };
}

const copyWith = (ends: ModelEnds, asked = request) =>
  replicate(ends, asked, { destination: wholePolicy.destination, run: 'copy', parallel: 2 });

/** Everything else has arrived; the newest stream of the child broke off at nine tenths. */
async function cutChild({ source, target, endsWith }: ReturnType<typeof estate>): Promise<void> {
  const excludes = (below: string): boolean => below === 'old/disk 1';
  await copyWith(endsWith(), { ...request, policy: { ...wholePolicy, excludes } });
  const [from, to] = [`${sourceRoot}/old/disk 1`, `${targetRoot}/old/disk 1`];
  const { guid, snapshots } = source.dataset(from);
  const newest = `${from}@${snapshots.at(-1)?.name}`;
  const base = target.datasets.has(to) ? ['-i', `${from}@${snapshots.at(-2)?.name}`] : [];
  const stream = openSend(source, target, ['send', '-w', ...base, newest]);
  const words = ['receive', '-o', `holdfast:replica-of=${guid}`, to];
  assert.throws(() => receivePart(target, words, stream, 0, 0.9, newest), /incomplete stream/);
}

for (const isFirst of [true, false])
  test(`what had arrived of ${isFirst ? 'a first copy' : 'a stream'} is gone on with when a parent is renamed meanwhile`, async () => {
    const pools = estate();
    const { source, target, endsWith, rename } = pools;
    if (!isFirst) {
      await copyWith(endsWith());
      snapshotTree(source, sourceRoot, run);
    }
    await cutChild(pools);
    // What has no snapshot yet is known by its name alone.
    if (isFirst) source.rename(`${sourceRoot}/old`, `${sourceRoot}/new`);
    else rename();
    const name = isFirst ? 'disk 1' : 'disk 2';
    const ends = endsWith();
    const { last } = await copyWith(ends);
    assert(!ends.log.join().includes('receive -A'), `given up: ${ends.log.join('\n')}`);
    assert.deepEqual(
      ends.sent.map(({ words }) => words.includes('-t')),
      [true],
    );
    assert.deepEqual([...new Set(last.plans.map(({ kind }) => kind))], ['nothing']);
    const guids = (pool: Pool, full: string) => pool.dataset(full).snapshots.map(({ guid }) => guid);
    assert.deepEqual(guids(target, `${targetRoot}/new/${name}`), guids(source, `${sourceRoot}/new/${name}`));
  });

test('a look that renames and has nothing to send proves everything, also what lies below', async () => {
  const { target, endsWith, rename } = estate();
  await copyWith(endsWith());
  rename();
  const ends = endsWith();
  const now = await survey(ends, request);
  assert.deepEqual(
    now.plans.map(({ kind, renameFrom }) => [kind, renameFrom]),
    [
      ['nothing', undefined],
      ['nothing', `${targetRoot}/old`],
      ['nothing', `${targetRoot}/new/disk 1`],
    ],
  );
  const proof = proofOf(replicaStates(now.plans, now.input));
  assert.deepEqual([proof.datasets, proof.lagging, proof.restorePoint !== undefined], [3, 0, true]);
  assert.equal(learnBrought(new Set(), now.plans, now.input).size, 3);
  assert.deepEqual(strangersIn(now), []);
  assert.deepEqual((await settle(ends, now)).troubles, []);
  assert(target.datasets.has(`${targetRoot}/new/disk 2`));
  const after = await survey(ends, request);
  assert.equal(proofOf(replicaStates(after.plans, after.input)).digest, proof.digest);
});

test('the fence of a replica below a renamed one stands under its new name, before its older cursor goes', async () => {
  const { source, target, endsWith, rename } = estate();
  await copyWith(endsWith());
  rename();
  const newest =
    target.dataset(`${targetRoot}/old/disk 1`).snapshots.at(-1) ?? assert.fail('nothing arrived');
  newest.holds.delete(fenceTag);
  source.dataset(`${sourceRoot}/new/disk 2`).bookmarks.push({
    name: cursorName(wholePolicy.destination, '7'),
    guid: '7',
    txg: 1,
  });
  const ends = endsWith();
  assert.deepEqual((await settle(ends, await survey(ends, request))).troubles, []);
  assert(newest.holds.has(fenceTag));
  const cursors = source.dataset(`${sourceRoot}/new/disk 2`).bookmarks.map(({ guid }) => guid);
  assert.deepEqual(cursors, [newest.guid]);
});

test('half of a stream in a stopped replica below a renamed one is told by the name that it will have', async () => {
  const pools = estate();
  const { source, target, endsWith } = pools;
  await copyWith(endsWith());
  snapshotTree(source, sourceRoot, run);
  await cutChild(pools);
  source.rename(`${sourceRoot}/old`, `${sourceRoot}/new`);
  source.dataset(`${sourceRoot}/new/disk 1`).type = 'volume';
  const { plans, input } = await survey(endsWith(), request);
  assert.deepEqual(
    forgottenTokens(plans, input).map((line) => line.split(':')[0]),
    [`${targetRoot}/new/disk 1 (type)`],
  );
  assert(target.dataset(`${targetRoot}/old/disk 1`).partial, 'a look changes nothing');
});
