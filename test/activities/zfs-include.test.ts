import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { takenOf } from '../../activities/zfs/job.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import type { ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import { retainSnapshots } from '../../activities/zfs/retain.js';
import { type Selection, selectDatasets } from '../../activities/zfs/select.js';
import { pathSelector } from '../../activities/zfs/select-paths.js';
import { takeSnapshots } from '../../activities/zfs/snapshot.js';
import { parseConfig } from '../../config/load.js';
import { fakeZfs } from '../support/fake-zfs.js';
import { listing, ModelEnds } from '../zfs-model/ends.js';
import { Pool, World } from '../zfs-model/pool.js';

/** `include` and `exclude` of a resource that is replicated: what is named arrives, what is not named never leaves. */

const root = 'fast/k';
const selectionWith = (more: Partial<Selection>): Selection => ({
  ...{ dataset: root, recursive: true, include: [], exclude: [] },
  ...more,
});

describe('a dataset below a resource that is replicated', () => {
  const said = (more: Partial<Selection>, below: string): string => {
    const { excludes, onlyLeads } = pathSelector(selectionWith(more));
    if (excludes(below)) return 'left out';
    return onlyLeads(below) ? 'may lead' : 'meant';
  };

  test('is meant, leads to what is meant, or is left out', () => {
    const deep = { include: ['team a/*/db'] };
    for (const [below, words] of [
      ['', 'meant'],
      ['team a', 'may lead'],
      ['team a/x', 'may lead'],
      ['team a/x/db', 'meant'],
      ['team a/x/db/wal', 'meant'],
      ['team a/x/logs', 'left out'],
      ['team b', 'left out'],
      ['team b/x', 'left out'],
      ['team ab', 'left out'],
    ] as const)
      assert.equal(said(deep, below), words, below);
    assert.equal(said({ include: ['**/db'] }, 'any/where'), 'may lead');
    assert.equal(said({ include: ['team a/**/db'] }, 'team b'), 'left out');
    assert.equal(said({ include: ['a.b (c)+/db'] }, 'a.b (c)+'), 'may lead');
    assert.equal(said({ include: ['a.b (c)+/db'] }, 'aXb (c)+'), 'left out');
  });

  test('is left out with all below it by exclude, whatever include says', () => {
    const both = { include: ['a/b', 'c'], exclude: ['a', 'c/tmp'] };
    for (const below of ['a', 'a/b', 'a/b/x', 'c/tmp', 'c/tmp/x', 'd'])
      assert.equal(said(both, below), 'left out', below);
    assert.equal(said(both, 'c'), 'meant');
    assert.equal(said({ recursive: false }, 'c'), 'left out');
  });
});

/** A file that takes snapshots of a tree and replicates them; those of the other one stay where they are. */
function configWith(patterns: Pick<Selection, 'include' | 'exclude'>) {
  const { config } = parseConfig(
    JSON.stringify({
      hosts: { din: {} },
      resources: {
        tree: { host: 'din', dataset: root, ...patterns },
        alone: { host: 'din', dataset: root, ...patterns },
      },
      stores: { grogu: { zfs: { host: 'din', dataset: 'backup' } } },
      jobs: {
        hourly: { kind: 'zfs-snapshot', resources: ['tree'], keep: { last: 1 } },
        other: { kind: 'zfs-snapshot', resources: ['alone'] },
        copy: { kind: 'zfs-replication', resources: ['tree'], store: 'grogu' },
      },
    }),
    '/holdfast.yaml',
  );
  assert(config);
  return config;
}

/** The pools of a small estate after one run. */
async function replicated(patterns: Pick<Selection, 'include' | 'exclude'>) {
  const config = configWith(patterns);
  const world = new World();
  const [source, target] = [new Pool(world, 'fast'), new Pool(world, 'backup')];
  const names = ['', '/a', '/a/db', '/a/db/wal', '/a/logs', '/x', '/x/secret', '/x/secret/deep'];
  for (const name of names) source.create(`${root}${name}`).written = 10;
  const taken = (resource: string): string[] =>
    selectDatasets(listing(source, root), takenOf(config, resource)).datasets.map(({ name }) => name);
  for (const name of taken('tree')) source.takeSnapshot(`${name}@one`, 'hourly-2026-11-20T03:00:00Z');
  const policy: ReplicationPolicy = {
    ...{ destination: 'grogu.tree', snapshots: 'ours', catchUp: 'every', encrypted: 'raw' },
    ...pathSelector(selectionWith(patterns)),
  };
  const ends = new ModelEnds(source, root, target, 'backup/tree');
  const request = { sourceRoot: root, targetRoot: 'backup/tree', policy };
  const run = { destination: 'grogu.tree', run: 'copy-2026-11-20T03:05:00Z', parallel: 2 };
  const { last } = await replicate(ends, request, run);
  const kinds = Object.fromEntries(last.plans.map((plan) => [plan.source.slice(root.length), plan.kind]));
  return {
    kinds,
    arrived: target
      .below('backup/tree')
      .map(({ name }) => name)
      .sort(),
    alone: taken('alone'),
  };
}

for (const include of [['a/db'], ['**/db'], ['a/d?']])
  test(`with include ${include} the tree of its own snapshots arrives, with what leads to it and nothing beside it`, async () => {
    const { kinds, arrived, alone } = await replicated({ include, exclude: [] });
    assert.deepEqual(
      arrived,
      ['', '/a', '/a/db', '/a/db/wal'].map((name) => `backup/tree${name}`),
    );
    assert.deepEqual(kinds, {
      ...{ '': 'nothing', '/a': 'nothing', '/a/db': 'nothing', '/a/db/wal': 'nothing' },
      ...{ '/a/logs': 'excluded', '/x': 'excluded', '/x/secret': 'excluded', '/x/secret/deep': 'excluded' },
    });
    assert.deepEqual(
      alone,
      [`${root}/a/db`, `${root}/a/db/wal`],
      'where nothing is replicated, just what is named',
    );
  });

test('what exclude leaves out never leaves, and the rest arrives', async () => {
  const { arrived, alone } = await replicated({ include: [], exclude: ['x/**', 'a/lo*'] });
  assert.deepEqual(
    arrived,
    ['', '/a', '/a/db', '/a/db/wal', '/x'].map((name) => `backup/tree${name}`),
  );
  assert.equal(alone.length, 5);
});

test('what leads to a dataset that is replicated has its snapshots taken and removed with those of the dataset', async () => {
  const fake = fakeZfs([root, `${root}/a`, `${root}/a/db`, `${root}/x`], {});
  const config = configWith({ include: ['a/db'], exclude: [] });
  const input = { job: 'hourly', resources: ['tree'], retryForMs: 0 };
  for (const hour of ['03', '04']) {
    const run = `hourly-2026-11-20T${hour}:00:00Z`;
    const tools = { ...fake.tools(run), config };
    assert.equal((await takeSnapshots(tools, { ...input, run }))[0]?.datasets, 3);
    await retainSnapshots(tools, { ...input, run });
  }
  const left = [...fake.datasets].map(([name, snapshots]) => [name, [...snapshots.keys()].length]);
  assert.deepEqual(left, [
    [root, 1],
    [`${root}/a`, 1],
    [`${root}/a/db`, 1],
    [`${root}/x`, 0],
  ]);
});
