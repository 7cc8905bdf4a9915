import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { openSource } from '../../activities/zfs/source.js';
import { planFrom } from '../../activities/zfs/source-choice.js';
import { readSourcePlan } from '../../activities/zfs/source-plan.js';
import { type FakeZfs, fakeZfs } from '../support/fake-zfs.js';
import { dataset, snapshot } from '../support/zfs-trees.js';

/** A backup of files reads snapshots: which ones, and what of a tree that changes while they are made ready. */

const at = (hour: string) => `hourly-2026-11-20T${hour}:00:00Z`;
const hourly = (name: string, txg: number, more: object = {}) =>
  snapshot(name, txg, { run: at(name), job: 'hourly', ...more });

describe('the snapshots of a job that are read', () => {
  const read = (...datasets: ReturnType<typeof dataset>[]) => planFrom(datasets, { job: 'hourly' }, 'tree');

  test('a dataset that sorts first and is younger than the newest ones has no part in them, and is not missed', () => {
    const plan = read(
      dataset('fast/k/aaa', { createtxg: 30 }),
      dataset('fast/k/pvc-1', {}, [hourly('03', 10), hourly('04', 20)]),
      dataset('fast/k/pvc-2', {}, [hourly('03', 10), hourly('04', 20)]),
    );
    assert.deepEqual([plan.snapshot, plan.datasets], ['04', ['fast/k/pvc-1', 'fast/k/pvc-2']]);
  });

  test('the newest are not those that the first dataset happens to end with', () => {
    const first = dataset('fast/k/aaa', { createtxg: 5 }, [hourly('03', 10)]);
    const second = dataset('fast/k/pvc-1', {}, [hourly('03', 10), hourly('04', 20)]);
    assert.throws(() => read(first, second), {
      code: 'HF_SOURCE_MISSING',
      message: /fast\/k\/aaa has no snapshot 04, which the others have/,
    });
  });

  test('a dataset that was received lately brings old snapshots with young txgs: they are not the newest', () => {
    const old = { creationS: 1_795_000_010 };
    const sent = dataset('fast/k/a', { createtxg: 90 }, [
      hourly('02', 91, { creationS: 9 }),
      hourly('03', 92, old),
    ]);
    const kept = dataset('fast/k/b', {}, [hourly('03', 10), hourly('04', 20, { creationS: 1 })]);
    assert.deepEqual([read(sent, kept).snapshot, read(sent, kept).datasets], ['04', ['fast/k/b']]);
    const pruned = dataset('fast/k/b', {}, [hourly('04', 20)]);
    assert.equal(read(sent, pruned).snapshot, '04');
  });

  test('where nobody has any, the job is to be run first', () => {
    const others = [snapshot('auto', 10), hourly('x', 11, { job: 'daily' })];
    assert.throws(() => read(dataset('fast/k', {}, others)), {
      code: 'HF_SOURCE_MISSING',
      message: /no dataset of it has a snapshot of the job "hourly"/,
    });
  });
});

describe('a dataset that goes away while the snapshots are made ready', () => {
  const run = 'offsite-2026-11-20T05:00:00Z';
  const input = { job: 'offsite', run, resource: 'tree', retryForMs: 1000 };
  const set = { 'holdfast:run': at('04'), 'holdfast:job': 'hourly' };
  let fake: FakeZfs;
  let said: string[];

  beforeEach(() => {
    fake = fakeZfs(['fast', 'fast/a', 'fast/b b', 'fast/c'], {});
    for (const name of fake.datasets.keys()) fake.add(name, 's', set);
    said = [];
  });

  const tools = () => {
    const all = fake.tools(run);
    const offsite = {
      kind: 'restic-backup',
      resources: ['tree'],
      store: 'usb',
      stores: ['usb'],
      fromSnapshotsOf: 'hourly',
    };
    Object.assign(all.config.jobs, { offsite });
    return { ...all, log: (line: string) => void said.push(line) };
  };
  /** Before the first hold; mounts are only made in the real world. */
  const meanwhile = (change: () => void): void => {
    let first = true;
    fake.before = ([verb]) => {
      if (verb === 'hold' && first) {
        first = false;
        change();
      }
      return verb === '-t' ? { exitCode: 0 } : undefined;
    };
  };
  const mounted = (): (string | undefined)[] =>
    fake.commands.filter(([word]) => word === '-t').map((args) => args[4]);
  const held = (): string[] =>
    [...fake.datasets].flatMap(([name, all]) => (all.get('s')?.holds.has(`holdfast:${run}`) ? [name] : []));

  test('is left out and named; all others are held and read', async () => {
    meanwhile(() => fake.datasets.delete('fast/b b'));
    const plan = await openSource(tools(), input);
    assert.deepEqual(plan.datasets, ['fast', 'fast/a', 'fast/c']);
    assert.deepEqual(held(), plan.datasets);
    assert.deepEqual(mounted(), ['fast@s', 'fast/a@s', 'fast/c@s']);
    assert.match(said.join('\n'), /tree: 1 gone before .*: fast\/b b$/m);
    const written = await readSourcePlan(fake.tools(run).host, input);
    assert.deepEqual(written, plan, 'the copy is asked for just these');
    assert.equal(written.guids?.length, 3);
  });

  test('one after the other costs another look each', async () => {
    const going = ['fast/b b', 'fast/c'];
    fake.before = ([verb]) => {
      if (verb === 'hold') fake.datasets.delete(going.shift() ?? '');
      return verb === '-t' ? { exitCode: 0 } : undefined;
    };
    assert.deepEqual((await openSource(tools(), input)).datasets, ['fast', 'fast/a']);
  });

  test('is not gone when only its snapshot is: the run ends, and nothing is read', async () => {
    meanwhile(() => fake.datasets.get('fast/b b')?.clear());
    await assert.rejects(openSource(tools(), input), { code: 'HF_DATASET_MISSING', message: /fast/ });
    assert.deepEqual(mounted(), []);
  });

  test('is not gone when it only changed its name: the run ends, and nothing is read', async () => {
    fake.properties.set('fast/b b', { guid: '77' });
    meanwhile(() => {
      fake.datasets.set('fast/z', fake.datasets.get('fast/b b') ?? new Map());
      fake.datasets.delete('fast/b b');
      fake.properties.set('fast/z', { guid: '77' });
    });
    await assert.rejects(openSource(tools(), input), { code: 'HF_DATASET_MISSING' });
    assert.deepEqual(mounted(), []);
  });

  test('is gone when another one has its name, which is not read in its place', async () => {
    meanwhile(() => {
      fake.datasets.set('fast/b b', new Map());
      fake.properties.set('fast/b b', { guid: '78', createtxg: '900' });
    });
    assert.deepEqual((await openSource(tools(), input)).datasets, ['fast', 'fast/a', 'fast/c']);
    assert.deepEqual(mounted(), ['fast@s', 'fast/a@s', 'fast/c@s']);
  });
});
