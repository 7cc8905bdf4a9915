import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planReplication } from '../../activities/zfs/plan-replication.js';
import {
  cursorName,
  destinationOf,
  holdPrefix,
  holdTag,
  isCursor,
} from '../../activities/zfs/replicate-names.js';
import { nothingMeant } from '../../activities/zfs/replicate-proof.js';
import { streamsOf } from '../../activities/zfs/replicate-streams.js';
import type { PlanInput, ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import type { Selection } from '../../activities/zfs/select.js';
import { wholePolicy } from '../support/zfs-trees.js';
import { listing } from '../zfs-model/ends.js';
import { Pool, World } from '../zfs-model/pool.js';
import { openSend, receivePart } from '../zfs-model/streams.js';

/** One plan for each dataset, with its reason. */

interface Both {
  source: Pool;
  target: Pool;
}

const policy = { ...wholePolicy, destination: 'grogu' };

function both(...children: string[]): Both {
  const world = new World();
  const source = new Pool(world, 'fast');
  const target = new Pool(world, 'backup');
  for (const name of ['fast/k', ...children.map((child) => `fast/k/${child}`)]) source.create(name);
  return { source, target };
}

function snapshotAll({ source }: Both, name: string): void {
  for (const { name: dataset } of source.below('fast/k')) {
    source.dataset(dataset).written = 10;
    source.takeSnapshot(`${dataset}@${name}`, 'hourly-2026-11-20T03:00:00Z');
  }
}

/** As if an earlier run had copied this snapshot. */
function copied(
  { source, target }: Both,
  dataset: string,
  snapshot: string,
  from?: string,
  to = dataset.replace('fast', 'backup'),
): void {
  const range = from === undefined ? [] : ['-i', `${dataset}@${from}`];
  const stream = openSend(source, target, ['send', '-w', ...range, `${dataset}@${snapshot}`]);
  const { guid } = source.dataset(dataset);
  receivePart(target, ['receive', '-o', `holdfast:replica-of=${guid}`, to], stream, 0);
}

const planOf = (
  { source, target }: Both,
  more: Partial<ReplicationPolicy> = {},
  tokens: NonNullable<PlanInput['tokens']> = new Map(),
) => {
  const input: PlanInput = {
    source: listing(source, 'fast/k'),
    sourceRoot: 'fast/k',
    target: target.datasets.has('backup/k') ? listing(target, 'backup/k') : new Map(),
    targetRoot: 'backup/k',
    policy: { ...policy, ...more },
    tokens,
  };
  return new Map(planReplication(input).map((plan) => [plan.target, plan]));
};

test('nothing there: everything is sent from the beginning, parents a level before their children', () => {
  const pools = both('a');
  snapshotAll(pools, 'one');
  snapshotAll(pools, 'two');
  const plans = planOf(pools);
  const child = plans.get('backup/k/a');
  assert.deepEqual([plans.get('backup/k')?.kind, child?.kind], ['full', 'full']);
  assert.deepEqual([plans.get('backup/k')?.level, child?.level], [0, 1]);
  assert.deepEqual(
    child?.segments.map(({ from, to, intermediates }) => [from?.name, to, intermediates]),
    [
      [undefined, 'one', false],
      ['one', 'two', false],
    ],
  );
});

test('where include and exclude leave nothing, the run says so: the root alone is not what it is for', () => {
  const pools = both('pvc-1');
  const all = { dataset: 'fast/k', recursive: true, include: [], exclude: [] };
  const said = (more: Partial<Selection>) =>
    nothingMeant(listing(pools.source, 'fast/k'), { ...all, ...more });
  assert.match(said({ include: ['pcv-*'] }).join(), /leave no dataset of fast\/k/);
  assert.match(said({ include: ['pvc-*'], exclude: ['**'] }).join(), /leave no dataset/);
  for (const fine of [{}, { include: ['pvc-*'] }, { exclude: ['**'] }]) assert.deepEqual(said(fine), []);
});

test('a backlog is one stream through all, or one straight to the newest, as asked for', () => {
  const pools = both();
  for (const name of ['one', 'two', 'three', 'four']) snapshotAll(pools, name);
  copied(pools, 'fast/k', 'one');
  const through = planOf(pools).get('backup/k');
  assert.deepEqual(
    through?.segments.map(({ from, to, intermediates }) => [from?.name, to, intermediates]),
    [['one', 'four', true]],
  );
  assert.deepEqual(through?.holds, ['two', 'three', 'four']);
  const straight = planOf(pools, { catchUp: 'newest' }).get('backup/k');
  assert.deepEqual(
    straight?.segments.map(({ from, to, intermediates }) => [from?.name, to, intermediates]),
    [['one', 'four', false]],
  );
  assert.deepEqual(straight?.holds, ['four']);
});

test("others' snapshots in between stay at home unless they are asked for", () => {
  const pools = both();
  snapshotAll(pools, 'one');
  copied(pools, 'fast/k', 'one');
  snapshotAll(pools, 'two');
  pools.source.takeSnapshot('fast/k@auto-2026-11-20_03-00');
  snapshotAll(pools, 'three');
  snapshotAll(pools, 'four');
  const segments = planOf(pools, { snapshots: 'ours' }).get('backup/k')?.segments ?? [];
  assert.deepEqual(
    segments.map(({ from, to, intermediates }) => [from?.name, to, intermediates]),
    [
      ['one', 'two', false],
      ['two', 'three', false],
      ['three', 'four', false],
    ],
  );
});

test('the base is found by guid: a renamed snapshot, and a bookmark of one that is gone', () => {
  const pools = both();
  snapshotAll(pools, 'one');
  copied(pools, 'fast/k', 'one');
  const [one] = pools.source.dataset('fast/k').snapshots;
  assert(one);
  one.name = 'renamed';
  snapshotAll(pools, 'two');
  assert.equal(planOf(pools).get('backup/k')?.common?.name, 'renamed');
  pools.source.dataset('fast/k').bookmarks.push({ name: 'mark', guid: one.guid, txg: one.txg });
  pools.source.destroySnapshot('fast/k@renamed');
  const { common, segments } = planOf(pools).get('backup/k') ?? assert.fail('no plan');
  assert.deepEqual([common?.kind, common?.name], ['bookmark', 'mark']);
  assert.deepEqual(
    segments.map(({ from, to }) => [from?.kind, from?.name, to]),
    [['bookmark', 'mark', 'two']],
  );
});

test('an old name with a new dataset behind it, and a dataset of others, are stopped for different reasons', () => {
  const pools = both('a', 'b');
  snapshotAll(pools, 'one');
  for (const name of ['fast/k', 'fast/k/a']) copied(pools, name, 'one');
  pools.source.destroyTree('fast/k/a');
  pools.source.create('fast/k/a');
  pools.target.create('backup/k/b');
  pools.target.takeSnapshot('backup/k/b@syncoid_2026');
  snapshotAll(pools, 'two');
  const plans = planOf(pools);
  assert.equal(plans.get('backup/k/a')?.kind, 'diverged');
  assert.match(plans.get('backup/k/a')?.reason ?? '', /made anew/);
  assert.equal(plans.get('backup/k/b')?.kind, 'foreign');
  assert.match(plans.get('backup/k/b')?.reason ?? '', /made by syncoid/);
});

test('written to on the target: stopped alone, and what would be lost is named', () => {
  const pools = both('a');
  snapshotAll(pools, 'one');
  for (const name of ['fast/k', 'fast/k/a']) copied(pools, name, 'one');
  pools.target.dataset('backup/k/a').written = 99;
  pools.target.takeSnapshot('backup/k/a@auto-2026-11-20_03-00');
  snapshotAll(pools, 'two');
  const plans = planOf(pools);
  assert.deepEqual([plans.get('backup/k')?.kind, plans.get('backup/k/a')?.kind], ['incremental', 'diverged']);
  assert.deepEqual(plans.get('backup/k/a')?.loses, ['auto-2026-11-20_03-00']);
  assert.match(plans.get('backup/k/a')?.reason ?? '', /TrueNAS/);
});

const auto = 'auto-2026-11-20_03-00';

test('a name that another snapshot has over there stops that dataset alone, also in the middle of a stream', () => {
  const pools = both('a', 'b');
  snapshotAll(pools, 'one');
  for (const name of ['fast/k', 'fast/k/a', 'fast/k/b']) copied(pools, name, 'one');
  pools.source.takeSnapshot(`fast/k/a@${auto}`);
  pools.target.takeSnapshot(`backup/k/a@${auto}`);
  pools.target.takeSnapshot('backup/k/b@theirs');
  snapshotAll(pools, 'two');
  snapshotAll(pools, 'three');
  const plans = planOf(pools);
  const kinds = ['', '/a', '/b'].map((name) => plans.get(`backup/k${name}`)?.kind);
  assert.deepEqual(
    kinds,
    ['incremental', 'diverged', 'incremental'],
    'an empty one of another name is no matter',
  );
  const stopped = plans.get('backup/k/a');
  assert.deepEqual([stopped?.loses, stopped?.segments], [[auto], []]);
  assert.match(
    stopped?.reason ?? '',
    /^1 snapshot there took the name of one that is to arrive \(.*, made by TrueNAS\)$/,
  );
  // Where it does not travel, it is in nobody's way.
  for (const more of [{ snapshots: 'ours' }, { catchUp: 'newest' }] as const)
    assert.equal(planOf(pools, more).get('backup/k/a')?.kind, 'incremental', JSON.stringify(more));
});

test('a taken name that is as old as the base is told with what helps, because a roll-back does not', () => {
  const pools = both();
  snapshotAll(pools, 'latest');
  copied(pools, 'fast/k', 'latest');
  snapshotAll(pools, 'two');
  copied(pools, 'fast/k', 'two', 'latest');
  pools.source.destroySnapshot('fast/k@latest');
  snapshotAll(pools, 'latest');
  const plan = planOf(pools).get('backup/k');
  assert.deepEqual([plan?.kind, plan?.loses], ['diverged', undefined]);
  assert.match(plan?.reason ?? '', /; @latest is no newer than the base: give it another name there/);
  // What the base itself is called over there may be in the way, too.
  const [, base] = pools.target.dataset('backup/k').snapshots;
  assert(base);
  base.name = 'three';
  pools.source.destroySnapshot('fast/k@latest');
  assert.equal(planOf(pools).get('backup/k')?.kind, 'nothing');
  snapshotAll(pools, 'three');
  assert.match(planOf(pools).get('backup/k')?.reason ?? '', /@three is no newer than the base/);
});

test('half received state is not gone on with where its name was taken meanwhile', () => {
  const pools = both();
  snapshotAll(pools, 'old');
  copied(pools, 'fast/k', 'old');
  snapshotAll(pools, 'one');
  copied(pools, 'fast/k', 'one', 'old');
  pools.source.destroySnapshot('fast/k@old');
  snapshotAll(pools, 'old');
  const [, newest] = pools.source.dataset('fast/k').snapshots;
  pools.target.dataset('backup/k').partial = {
    token: '1-x',
    toGuid: newest?.guid ?? '',
    toName: 'fast/k@old',
    fromGuid: pools.source.dataset('fast/k').snapshots[0]?.guid,
    raw: false,
    bytes: 10,
    initial: false,
  };
  const token = { toGuid: newest?.guid ?? '', toName: 'fast/k@old', raw: false, bytesDone: 10 };
  const { fromGuid } = pools.target.dataset('backup/k').partial ?? {};
  const input: PlanInput = {
    source: listing(pools.source, 'fast/k'),
    sourceRoot: 'fast/k',
    target: listing(pools.target, 'backup/k'),
    targetRoot: 'backup/k',
    policy,
    tokens: new Map([['backup/k', { facts: { ...token, ...(fromGuid !== undefined && { fromGuid }) } }]]),
  };
  const [plan] = planReplication(input);
  assert.deepEqual([plan?.kind, plan?.resume], ['diverged', undefined]);
});

test('renamed on the source: the replica follows, with what lies below it', () => {
  const pools = both('a', 'a/below');
  snapshotAll(pools, 'one');
  for (const name of ['fast/k', 'fast/k/a', 'fast/k/a/below']) copied(pools, name, 'one');
  pools.source.rename('fast/k/a', 'fast/k/z');
  const plans = planOf(pools);
  assert.deepEqual([...plans.keys()], ['backup/k', 'backup/k/z', 'backup/k/z/below']);
  assert.equal(plans.get('backup/k/z')?.renameFrom, 'backup/k/a');
  assert.equal(plans.get('backup/k/z/below')?.renameFrom, undefined);
  const present = [...plans.values()].map(({ presentName }) => presentName);
  assert.deepEqual(present, [undefined, 'backup/k/a', 'backup/k/a/below']);
});

test('made since the snapshots that it will be part of: it comes with the next, however often others take theirs', () => {
  const pools = both('db');
  snapshotAll(pools, 'hourly');
  for (const name of ['fast/k', 'fast/k/db']) copied(pools, name, 'hourly');
  pools.source.create('fast/k/new');
  pools.source.takeSnapshot('fast/k/db@quarter', 'quarter-2026-11-20T03:15:00Z');
  assert.equal(planOf(pools).get('backup/k/new')?.kind, 'young');
  pools.source.takeSnapshot('fast/k@hourly-2', 'hourly-2026-11-20T04:00:00Z');
  assert.equal(planOf(pools).get('backup/k/new')?.kind, 'wait');
});

test('moved below a new parent: it waits for the parent, and is moved instead of being copied anew', () => {
  const pools = both('a');
  snapshotAll(pools, 'one');
  for (const name of ['fast/k', 'fast/k/a']) copied(pools, name, 'one');
  pools.source.create('fast/k/archive');
  pools.source.rename('fast/k/a', 'fast/k/archive/a');
  snapshotAll(pools, 'two');
  const kinds = () => [...planOf(pools)].map(([name, { kind, renameFrom }]) => [name, kind, renameFrom]);
  assert.deepEqual(kinds(), [
    ['backup/k', 'incremental', undefined],
    ['backup/k/archive', 'full', undefined],
    ['backup/k/archive/a', 'wait', undefined],
  ]);
  copied(pools, 'fast/k/archive', 'two');
  assert.deepEqual(kinds().at(-1), ['backup/k/archive/a', 'incremental', 'backup/k/a']);
});

test('renamed with what is above it and by itself: it moves from the name that it has when its parent has moved', () => {
  const pools = both('a', 'a/below');
  snapshotAll(pools, 'one');
  for (const name of ['fast/k', 'fast/k/a', 'fast/k/a/below']) copied(pools, name, 'one');
  pools.source.rename('fast/k/a', 'fast/k/z');
  pools.source.rename('fast/k/z/below', 'fast/k/z/other');
  const { renameFrom, presentName } = planOf(pools).get('backup/k/z/other') ?? assert.fail('no plan');
  assert.deepEqual([renameFrom, presentName], ['backup/k/z/below', 'backup/k/a/below']);
});

test('below a parked replica everything that is sound comes back when its parent is there again', () => {
  const pools = both('a', 'a/below');
  snapshotAll(pools, 'one');
  for (const name of ['fast/k', 'fast/k/a', 'fast/k/a/below']) copied(pools, name, 'one');
  const parked = 'backup/k/a.parked-2026-11-20T030000Z';
  pools.target.rename('backup/k/a', parked);
  assert.equal(planOf(pools).get('backup/k/a')?.kind, 'full');
  copied(pools, 'fast/k/a', 'one');
  const plans = planOf(pools);
  assert.equal(plans.get('backup/k/a/below')?.renameFrom, `${parked}/below`);
  assert.equal(plans.get(parked)?.kind, 'parked');
});

test('gone, left out, made just now and without any snapshot are four different things', () => {
  const pools = both('gone', 'out', 'never');
  snapshotAll(pools, 'one');
  for (const name of ['fast/k', 'fast/k/gone']) copied(pools, name, 'one');
  pools.source.destroyTree('fast/k/gone');
  pools.source.destroySnapshot('fast/k/never@one');
  snapshotAll(pools, 'two');
  pools.source.destroySnapshot('fast/k/never@two');
  pools.source.create('fast/k/young');
  const plans = planOf(pools, { excludes: (below) => below === 'out' });
  const kinds = ['gone', 'out', 'never', 'young'].map((name) => plans.get(`backup/k/${name}`)?.kind);
  assert.deepEqual(kinds, ['gone', 'excluded', 'wait', 'young']);
});

test('with no snapshot at all nothing counts as new: the tree waits', () => {
  const plans = planOf(both('a'));
  assert.deepEqual(
    [...plans.values()].map(({ kind }) => kind),
    ['wait', 'wait'],
  );
});

test('a volume is never received over a file system, and readable never over encrypted', () => {
  const pools = both('a', 'b');
  snapshotAll(pools, 'one');
  for (const name of ['fast/k', 'fast/k/a', 'fast/k/b']) copied(pools, name, 'one');
  pools.source.dataset('fast/k/a').type = 'volume';
  pools.source.dataset('fast/k/b').encrypted = true;
  const plans = planOf(pools);
  assert.deepEqual([plans.get('backup/k/a')?.kind, plans.get('backup/k/b')?.kind], ['type', 'encryption']);
  assert.equal(planOf(pools, { encrypted: 'required' }).get('backup/k')?.kind, 'encryption');
});

test("a first copy that a stranger's tool has begun is never given up, our own is", () => {
  for (const ours of [true, false]) {
    const pools = both('a');
    snapshotAll(pools, 'one');
    copied(pools, 'fast/k', 'one');
    const stream = openSend(pools.source, pools.target, ['send', '-w', 'fast/k/a@one']);
    const says = ours ? ['-o', 'holdfast:replica-of=77'] : [];
    assert.throws(() => receivePart(pools.target, ['receive', ...says, 'backup/k/a'], stream, 0, 0.5));
    const corrupt = new Map([['backup/k/a', { hopeless: 'the token is corrupt' }]]);
    const plan = planOf(pools, {}, corrupt).get('backup/k/a');
    assert.deepEqual(
      [plan?.kind, plan?.abandon === undefined],
      ours ? ['full', false] : ['foreign', true],
      plan?.reason,
    );
  }
});

test('what two resources leave in shared datasets for one store are different things', () => {
  const [all, part] = ['kubernetes', 'db'].map((resource) => destinationOf({ store: 'grogu', resource }));
  assert(all && part);
  assert.ok(isCursor(cursorName(all, '7'), all));
  assert.ok(!isCursor(cursorName(all, '7'), part));
  assert.ok(!holdTag(part, 'run').startsWith(holdPrefix(all)));
});

test('no stream holds embedded data: an encrypted target would refuse it', () => {
  const pools = both();
  snapshotAll(pools, 'one');
  const plan = planOf(pools, { encrypted: 'plain' }).get('backup/k') ?? assert.fail('no plan');
  assert.deepEqual(
    streamsOf(plan).map(({ send }) => send.join(' ')),
    ['send -vP -L -c fast/k@one'],
  );
});
