import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeChanges } from '../../activities/zfs/known-datasets.js';
import { type Selection, selectDatasets } from '../../activities/zfs/select.js';
import { planSnapshots, snapshotName } from '../../activities/zfs/snapshot-plan.js';
import { dataset, listingOf, snapshot } from '../support/zfs-trees.js';

const run = 'hourly-2026-11-20T03:00:00Z';
const name = 'holdfast_hourly_2026-11-20_03-00-00Z';
const ours = { run, job: 'hourly' };

const all = (root: string, more: Partial<Selection> = {}): Selection & { resource: string } => ({
  resource: 'kubernetes',
  dataset: root,
  recursive: true,
  include: [],
  exclude: [],
  ...more,
});

const plan = (names: Parameters<typeof listingOf>[0], resources: ReturnType<typeof all>[]) =>
  planSnapshots({
    job: 'hourly',
    run,
    pattern: 'holdfast_{job}_{time}',
    resources,
    listing: listingOf(names),
  });

describe('which datasets are meant', () => {
  const tree = listingOf([
    dataset('fast'),
    dataset('fast/k'),
    dataset('fast/k/pvc-1'),
    dataset('fast/k/pvc-1/inner'),
    dataset('fast/k/pvc-scratch-2'),
    dataset('fast/k/pvc-scratch-2/inner'),
    dataset('fast/kubernetes'),
    dataset('fast/k/a.b (c)+'),
  ]);
  const selected = (more: Partial<Selection>) => {
    const { datasets, whole } = selectDatasets(tree, { ...all('fast/k'), ...more });
    return { names: datasets.map((one) => one.name.slice('fast/k'.length)), whole };
  };

  test('a root with all that lies below it, and nothing whose name only begins alike', () => {
    const { names, whole } = selected({});
    assert.deepEqual(names.sort(), [
      '',
      '/a.b (c)+',
      '/pvc-1',
      '/pvc-1/inner',
      '/pvc-scratch-2',
      '/pvc-scratch-2/inner',
    ]);
    assert.equal(whole, true);
  });

  test('the root alone', () =>
    assert.deepEqual(selected({ recursive: false }), { names: [''], whole: false }));

  test('what is left out goes with all below it', () => {
    const { names, whole } = selected({ exclude: ['pvc-scratch-*'] });
    assert.deepEqual(names.sort(), ['', '/a.b (c)+', '/pvc-1', '/pvc-1/inner']);
    assert.equal(whole, false);
  });

  test('what is named comes with all below it, without the root', () => {
    assert.deepEqual(selected({ include: ['pvc-?'] }).names, ['/pvc-1', '/pvc-1/inner']);
    assert.deepEqual(selected({ include: ['**/inner'] }).names, ['/pvc-1/inner', '/pvc-scratch-2/inner']);
  });

  test('characters that mean something in other patterns stand for themselves', () => {
    assert.deepEqual(selected({ include: ['a.b (c)+'] }).names, ['/a.b (c)+']);
    assert.deepEqual(selected({ include: ['a?b (c)+'] }).names, ['/a.b (c)+']);
    assert.deepEqual(selected({ include: ['axb (c)+'] }).names, []);
  });
});

describe('the plan of a run', () => {
  test('the name is made from the RUN, in UTC, and fits no naming schema of TrueNAS', () => {
    assert.equal(snapshotName('holdfast_{job}_{time}', 'hourly', run), name);
  });

  test('a whole tree is one recursive command for each pool, with the run and the job on every snapshot', () => {
    const { commands, parts } = plan(
      [dataset('fast'), dataset('fast/a b'), dataset('bulk'), dataset('bulk/x')],
      [all('fast'), all('bulk')],
    );
    const says = ['-o', `holdfast:run=${run}`, '-o', 'holdfast:job=hourly'];
    assert.deepEqual(commands, [
      ['snapshot', '-r', ...says, `fast@${name}`],
      ['snapshot', '-r', ...says, `bulk@${name}`],
    ]);
    assert.equal(parts, 1);
  });

  test('with something left out, all names of a pool stand in one command', () => {
    const { commands } = plan(
      [dataset('fast'), dataset('fast/a b'), dataset('fast/tmp'), dataset('fast/vol', { type: 'volume' })],
      [all('fast', { exclude: ['tmp'] })],
    );
    assert.deepEqual(
      commands.map((args) => args.slice(5)),
      [[`fast@${name}`, `fast/a b@${name}`, `fast/vol@${name}`]],
    );
    assert.equal(commands[0]?.includes('-r'), false);
  });

  test('a root inside another one is taken once', () => {
    const { commands } = plan([dataset('fast'), dataset('fast/k')], [all('fast'), all('fast/k')]);
    assert.deepEqual(
      commands.map((args) => args.slice(6)),
      [[`fast@${name}`]],
    );
  });

  test('a second attempt finds what the first has made, and does nothing', () => {
    const made = [snapshot(name, 10, ours)];
    const again = plan([dataset('fast', {}, made), dataset('fast/a', {}, made)], [all('fast')]);
    assert.deepEqual(again.commands, []);
    assert.equal(again.adopted, true);
    assert.equal(again.resources[0]?.datasets.length, 2);
  });

  test('a part of a set is completed by name, without what was born after its moment', () => {
    const { commands, resources } = plan(
      [
        dataset('fast', {}, [snapshot(name, 10, ours)]),
        dataset('fast/missed', { createtxg: 5 }),
        dataset('fast/born later', { createtxg: 12 }),
      ],
      [all('fast')],
    );
    assert.deepEqual(
      commands.map((args) => args.slice(5)),
      [[`fast/missed@${name}`]],
    );
    assert.deepEqual(
      resources[0]?.datasets.map((one) => one.name),
      ['fast', 'fast/missed'],
    );
  });

  test('what a pool has made says nothing about another one, whose txgs are higher', () => {
    const young = { createtxg: 19_000_000 };
    const { commands, resources, adopted } = plan(
      [
        dataset('fast/k', {}, [snapshot(name, 6_000_000, ours)]),
        dataset('fast/k/missed', { createtxg: 5 }),
        dataset('fast/k/born later', { createtxg: 6_000_001 }),
        dataset('bulk/photos', { createtxg: 10 }),
        dataset('bulk/photos/2026', young),
      ],
      [all('fast/k'), { ...all('bulk/photos'), resource: 'photos' }],
    );
    assert.deepEqual(
      commands.map((args) => args.slice(5)),
      [[`fast/k/missed@${name}`], [`bulk/photos@${name}`, `bulk/photos/2026@${name}`]],
    );
    assert.deepEqual(
      resources.map(({ datasets }) => datasets.map((one) => one.name)),
      [
        ['fast/k', 'fast/k/missed'],
        ['bulk/photos', 'bulk/photos/2026'],
      ],
    );
    assert.equal(adopted, true);
  });

  test("somebody else's snapshot of the name stops the run before anything is done", () => {
    const other = [snapshot(name, 10)];
    assert.throws(() => plan([dataset('fast', {}, other)], [all('fast')]), { code: 'HF_SNAPSHOT_EXISTS' });
  });

  test('a dataset that is not there, or patterns that leave none, stop the run', () => {
    assert.throws(() => plan([dataset('fast')], [all('fast/gone')]), { code: 'HF_DATASET_MISSING' });
    assert.throws(() => plan([dataset('fast')], [all('fast', { include: ['x'] })]), /include and exclude/);
  });

  test('a name that would be too long for ZFS stops the run', () => {
    const long = `fast/${'x'.repeat(230)}`;
    assert.throws(() => plan([dataset('fast'), dataset(long)], [all('fast')]), { code: 'HF_CONFIG_INVALID' });
  });

  test('more names than a command takes are split, and the plan says so', () => {
    const names = Array.from({ length: 9_000 }, (_, at) => dataset(`fast/${'x'.repeat(180)}${at}`));
    const { commands, parts } = plan(
      [dataset('fast'), dataset('fast/tmp'), ...names],
      [all('fast', { exclude: ['tmp'] })],
    );
    assert.ok(parts > 1 && commands.length === parts);
    for (const args of commands) assert.ok(args.join(' ').length < 1_200_000);
    assert.equal(commands.flatMap((args) => args.slice(5)).length, 9_001);
  });
});

describe('what changed since the last run', () => {
  const before = { 1: 'fast', 2: 'fast/a', 3: 'fast/b' };
  const now = (...entries: [string, string][]) => entries.map(([guid, name]) => dataset(name, { guid }));

  test('nothing is said on the first look, nor when nothing changed', () => {
    assert.deepEqual(describeChanges(undefined, now(['1', 'fast'])), []);
    assert.deepEqual(describeChanges(before, now(['1', 'fast'], ['2', 'fast/a'], ['3', 'fast/b'])), []);
  });

  test('who is gone, renamed and new is told by name', () => {
    const said = describeChanges(before, now(['1', 'fast'], ['3', 'fast/c'], ['9', 'fast/a'])).join('\n');
    assert.match(said, /1 gone since the last run, with their snapshots: fast\/a/);
    assert.match(said, /1 renamed since the last run: fast\/b to fast\/c/);
    assert.match(said, /1 new since the last run: fast\/a/);
  });
});
