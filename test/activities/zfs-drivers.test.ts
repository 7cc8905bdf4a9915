import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { destroySnapshots } from '../../activities/zfs/destroy.js';
import { holdSnapshots, releaseSnapshots } from '../../activities/zfs/holds.js';
import { openZfs } from '../../activities/zfs/job.js';
import { retainSnapshots } from '../../activities/zfs/retain.js';
import { takeSnapshots } from '../../activities/zfs/snapshot.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import { type FakeZfs, fakeZfs } from '../support/fake-zfs.js';

const run = 'hourly-2026-11-20T03:00:00Z';
const name = 'holdfast_hourly_2026-11-20_03-00-00Z';
const input = { job: 'hourly', run, resources: ['tree'], retryForMs: 1000 };
const ours = (at: string) => ({ 'holdfast:run': `hourly-2026-11-${at}T00:00:00Z`, 'holdfast:job': 'hourly' });
const namesOf = (fake: FakeZfs, dataset: string): string[] => [...(fake.datasets.get(dataset)?.keys() ?? [])];

describe('taking snapshots', () => {
  test('four commands, whatever the number of datasets', async () => {
    const fake = fakeZfs(['fast', ...Array.from({ length: 300 }, (_, at) => `fast/pvc ${at}`)], {});
    const [report] = await takeSnapshots(fake.tools(run), input);
    assert.equal(report?.datasets, 301);
    assert.deepEqual(
      fake.commands.map(([verb]) => verb),
      ['list', 'list', 'snapshot', 'list'],
    );
  });

  test('below the floor of the pool nothing is taken, and the run says how full it is', async () => {
    const fake = fakeZfs(['fast', 'fast/a'], {});
    fake.usedBytes = 985e9;
    await assert.rejects(takeSnapshots(fake.tools(run), input), {
      code: 'HF_POOL_FULL',
      message: /1\.5 % of fast is free, its floor is 2 %/,
    });
    assert.deepEqual(namesOf(fake, 'fast'), []);
    const { config } = fake.tools(run);
    Object.assign(config.hosts.din ?? {}, { pools: { fast: { floor: 0.01, lagging: 0.1 } } });
    const [report] = await takeSnapshots(fake.tools(run), input);
    assert.equal(report?.datasets, 2);
  });

  test('a second attempt finds what the first has made, also when the pool is below its floor by then', async () => {
    const fake = fakeZfs(['fast'], {});
    await takeSnapshots(fake.tools(run), input);
    fake.usedBytes = 999e9;
    const [report] = await takeSnapshots({ ...fake.tools(run), attempt: 2 }, input);
    assert.equal(report?.adopted, true);
  });

  test('a second attempt whose first has made nothing adds nothing to a pool below its floor', async () => {
    const fake = fakeZfs(['fast', 'fast/a'], {});
    fake.usedBytes = 985e9;
    await assert.rejects(takeSnapshots({ ...fake.tools(run), attempt: 2 }, input), { code: 'HF_POOL_FULL' });
    assert.deepEqual(namesOf(fake, 'fast'), []);
  });

  test('a dataset that goes away between the look and the moment costs another look, not the run', async () => {
    const fake = fakeZfs(['fast', 'fast/a', 'fast/tmp'], {});
    const tools = fake.tools(run);
    const tree = tools.config.resources.tree;
    assert.ok(tree);
    tree.exclude = ['tmp'];
    fake.before = ([verb]) => {
      if (verb === 'snapshot') fake.datasets.delete('fast/a');
      return undefined;
    };
    const [report] = await takeSnapshots(tools, input);
    assert.equal(report?.datasets, 1);
    assert.equal(fake.commands.filter(([verb]) => verb === 'snapshot').length, 2);
    assert.deepEqual(namesOf(fake, 'fast'), [name]);
  });

  test('a second pool whose command failed gets all its snapshots, however much older it is than the first', async () => {
    const fake = fakeZfs(['fast', 'fast/a', 'bulk', 'bulk/gone', 'bulk/x', 'bulk/tmp'], {});
    for (const name of ['bulk', 'bulk/gone', 'bulk/x']) fake.properties.set(name, { createtxg: '19000000' });
    const tools = fake.tools(run);
    const tree = tools.config.resources.tree;
    const job = tools.config.jobs.hourly;
    assert.ok(tree && job);
    tools.config.resources.photos = { ...tree, dataset: 'bulk', exclude: ['tmp'] };
    job.resources.push('photos');
    fake.before = ([verb, ...args]) => {
      if (verb === 'snapshot' && args.includes(`bulk/gone@${name}`)) fake.datasets.delete('bulk/gone');
      return undefined;
    };
    const reports = await takeSnapshots(tools, { ...input, resources: ['tree', 'photos'] });
    assert.deepEqual(
      reports.map(({ resource, datasets }) => [resource, datasets]),
      [
        ['tree', 2],
        ['photos', 2],
      ],
    );
    assert.deepEqual(namesOf(fake, 'bulk/x'), [name]);
  });

  test('an orphan of an earlier attempt that comes in between is found, and no second set is made', async () => {
    const fake = fakeZfs(['fast', 'fast/a'], {});
    let first = true;
    fake.before = ([verb]) => {
      if (verb === 'snapshot' && first) {
        first = false;
        for (const dataset of fake.datasets.keys())
          fake.add(dataset, name, { ...ours('20'), 'holdfast:run': run });
      }
      return undefined;
    };
    const [report] = await takeSnapshots(fake.tools(run), input);
    assert.equal(report?.adopted, true);
    assert.deepEqual(namesOf(fake, 'fast/a'), [name]);
  });

  test('a zfs that ends well and has made nothing is no success', async () => {
    const fake = fakeZfs(['fast'], {});
    fake.before = ([verb]) => (verb === 'snapshot' ? { exitCode: 0 } : undefined);
    await assert.rejects(takeSnapshots(fake.tools(run), input), { code: 'HF_COPY_NOT_PROVED' });
  });

  test('what is refused for good ends the run with its reason', async () => {
    const fake = fakeZfs(['fast'], {});
    fake.before = ([verb]) =>
      verb === 'snapshot'
        ? { exitCode: 1, stderrTail: 'cannot create snapshots : permission denied' }
        : undefined;
    await assert.rejects(takeSnapshots(fake.tools(run), input), { code: 'HF_ZFS_DENIED' });
    assert.equal(fake.commands.length, 3);
  });
});

describe('removing snapshots', () => {
  test('near its floor a pool is told about, and what keeps snapshots there', async () => {
    const fake = filled();
    fake.usedBytes = 965e9;
    const report = await retainSnapshots(fake.tools(run), input);
    assert.deepEqual(
      [report.removed, report.warnings],
      [4, ['3.5 % of fast is free, its floor is 2 %; no copy that lags keeps any']],
    );
  });

  const filled = (job: object = { keep: { last: 2 } }): FakeZfs => {
    const fake = fakeZfs(['fast', 'fast/a b'], job);
    for (const dataset of fake.datasets.keys()) {
      fake.add(dataset, 'auto-2026-11-01_00-00');
      for (const day of ['11', '12', '13', '14']) fake.add(dataset, `s${day}`, ours(day));
    }
    return fake;
  };

  test('a user who may run no channel program removes them dataset by dataset, never recursively', async () => {
    const fake = filled();
    const report = await retainSnapshots(fake.tools(run), input);
    assert.deepEqual([report.removed, report.kept, report.warnings], [4, 4, []]);
    assert.deepEqual(namesOf(fake, 'fast/a b'), ['auto-2026-11-01_00-00', 's13', 's14']);
    const destroys = fake.commands.filter(([verb]) => verb === 'destroy');
    assert.deepEqual(destroys, [
      ['destroy', 'fast@s11,s12'],
      ['destroy', 'fast/a b@s11,s12'],
    ]);
  });

  test('one that was held since does not keep the others, and is told by name', async () => {
    const fake = filled();
    fake.before = ([verb]) => {
      if (verb === 'destroy') fake.datasets.get('fast')?.get('s11')?.holds.add('somebody');
      return undefined;
    };
    const report = await retainSnapshots(fake.tools(run), input);
    assert.equal(report.removed, 3);
    assert.match(report.warnings.join(), /fast@s11 was to go and stayed: .*held/);
    assert.deepEqual(namesOf(fake, 'fast'), ['auto-2026-11-01_00-00', 's11', 's13', 's14']);
  });

  test('another snapshot that took the name since is not destroyed in its place', async () => {
    const fake = filled();
    const tools = fake.tools(run);
    const left = await destroySnapshots(tools, openZfs(tools, 'tree'), [
      { dataset: 'fast', snapshot: 's11', guid: '1' },
    ]);
    assert.match(left.get('fast@s11') ?? '', /another snapshot/);
    assert.ok(namesOf(fake, 'fast').includes('s11'));
  });

  test('snapshots that vanish beside those that were to go are told', async () => {
    const fake = filled();
    fake.before = ([verb]) => {
      if (verb === 'destroy') fake.datasets.get('fast/a b')?.delete('s14');
      return undefined;
    };
    const { warnings } = await retainSnapshots(fake.tools(run), input);
    assert.match(warnings.join(), /1 snapshots that were to stay are gone, fast\/a b@s14 among them/);
  });

  test('what a human has approved is removed hours later, and nothing that has become old since', async () => {
    const fake = filled({ keep: { last: 50 } });
    for (const dataset of fake.datasets.keys())
      for (const day of ['15', '16', '17']) fake.add(dataset, `s${day}`, ours(day));
    const tools = fake.tools(run);
    const job = tools.config.jobs.hourly;
    assert.ok(job?.kind === 'zfs-snapshot');
    job.keep = { last: 2 };
    const asked = await retainSnapshots(tools, input);
    assert.equal(asked.removed, 0);
    assert.equal(asked.asks?.removes, 10);
    for (const dataset of fake.datasets.keys()) fake.add(dataset, 's18', ours('18'));
    const done = await retainSnapshots(tools, { ...input, digest: asked.asks?.digest ?? '' });
    assert.equal(done.removed, 10);
    assert.deepEqual(namesOf(fake, 'fast'), ['auto-2026-11-01_00-00', 's16', 's17', 's18']);
    await assert.rejects(retainSnapshots(tools, { ...input, digest: 'another' }), {
      code: 'HF_NOT_APPROVED',
    });
  });

  const copy = 'copy-2026-11-20T02:00:00Z';
  const tag = `holdfast_grogu.tree_${copy}`;
  /** Below its floor; a copy has proved s11, and its run holds s12. */
  const short = (): FakeZfs => {
    const fake = filled();
    fake.usedBytes = 985e9;
    for (const dataset of fake.datasets.keys()) {
      const at = (name: string) => fake.datasets.get(dataset)?.get(name);
      const { guid = '', txg = 0 } = at('s11') ?? {};
      fake.bookmarks.set(`${dataset}#holdfast_grogu.tree_${guid}`, { guid, txg });
      at('s12')?.holds.add(tag);
    }
    return fake;
  };
  const ended = { ...input, endedRuns: [copy] };

  test('below its floor, what a run still sends stays until it is known to have ended', async () => {
    const fake = short();
    const first = await retainSnapshots(fake.tools(run), input);
    assert.deepEqual([first.removed, first.holdingRuns], [0, [copy]]);
    assert.match(first.warnings.join(), /what is being transferred stays: copy-\S+ may be sending/);
    assert(!fake.commands.some(([verb]) => verb === 'release' || verb === 'destroy'));
    const second = await retainSnapshots(fake.tools(run), ended);
    assert.deepEqual([second.removed, second.holdingRuns], [4, undefined]);
    assert.deepEqual(namesOf(fake, 'fast'), ['auto-2026-11-01_00-00', 's13', 's14']);
    assert.equal([...fake.bookmarks.keys()].filter((name) => name.startsWith('fast#')).length, 2);
  });

  test('what was let go and stays is held again', async () => {
    const fake = short();
    fake.before = ([verb, target = '']) =>
      verb === 'destroy' && target.startsWith('fast@') && target.includes('s12')
        ? { exitCode: 1, stderrTail: 'cannot destroy snapshot fast@s12: dataset is busy\n' }
        : undefined;
    const report = await retainSnapshots(fake.tools(run), ended);
    assert.equal(report.removed, 3);
    assert.match(report.warnings.join(), /fast@s12 was to go and stayed: .*busy/);
    assert.deepEqual([...(fake.datasets.get('fast')?.get('s12')?.holds ?? [])], [tag]);
  });

  test('on a pool without room for a bookmark what needs none goes, and what is held stays held', async () => {
    const fake = short();
    fake.before = ([verb]) =>
      verb === 'bookmark' ? { exitCode: 1, stderrTail: 'cannot create bookmark: out of space\n' } : undefined;
    const report = await retainSnapshots(fake.tools(run), ended);
    assert.equal(report.removed, 2);
    assert.match(report.warnings.join(), /fast@s12 was to go and stayed: .*held/);
    assert.deepEqual(namesOf(fake, 'fast'), ['auto-2026-11-01_00-00', 's12', 's13', 's14']);
    assert.deepEqual([...(fake.datasets.get('fast')?.get('s12')?.holds ?? [])], [tag]);
  });

  test('broken off after a hold was let go, everything that is still there is held again', async () => {
    const fake = short();
    fake.before = ([verb]) =>
      verb === 'destroy' ? { exitCode: 1, stderrTail: 'cannot destroy: permission denied\n' } : undefined;
    await assert.rejects(retainSnapshots(fake.tools(run), ended), { code: 'HF_ZFS_DENIED' });
    for (const snapshots of fake.datasets.values())
      assert.deepEqual([...(snapshots.get('s12')?.holds ?? [])], [tag]);
  });

  /** A target of the tree, with this for its resume token. */
  const copiedToGrogu = (config: Config, token: string): FakeZfs => {
    Object.assign(config.hosts, { grogu: {} });
    Object.assign(config.stores, { grogu: { zfs: { host: 'grogu', dataset: 'backup' } } });
    const replication = { kind: 'zfs-replication', resources: ['tree'], store: 'grogu' };
    Object.assign(config.jobs, { copy: replication });
    const grogu = fakeZfs(['backup/tree', 'backup/tree/a b'], {});
    grogu.token = ['backup/tree', token];
    return grogu;
  };

  test('what has half arrived on a target that answers stays; one that is away is not waited for', async () => {
    for (const [half, removed] of [
      ['token', 2],
      ['-', 4],
      ['away', 4],
    ] as const) {
      const fake = short();
      const tools = fake.tools(run);
      const grogu = copiedToGrogu(tools.config, half);
      if (half === 'away')
        grogu.before = () => {
          throw new HoldfastError('HF_SSH_UNREACHABLE', 'grogu does not answer');
        };
      const report = await retainSnapshots({ ...tools, machine: () => grogu.tools(run).host }, ended);
      assert.equal(report.removed, removed, half);
      assert.equal(namesOf(fake, 'fast').includes('s12'), half === 'token', half);
      if (half === 'token') assert.match(report.warnings.join(), /half of it has arrived/);
    }
  });

  test('what has half arrived keeps the base of it, also where no hold would be let go', async () => {
    for (const half of ['token', '-']) {
      const fake = short();
      // Of the run that was cut: what it held is kept by a rule.
      for (const snapshots of fake.datasets.values()) {
        snapshots.get('s12')?.holds.clear();
        snapshots.get('s14')?.holds.add(tag);
      }
      const tools = fake.tools(run);
      const grogu = copiedToGrogu(tools.config, half);
      await retainSnapshots({ ...tools, machine: () => grogu.tools(run).host }, ended);
      assert.equal(namesOf(fake, 'fast').includes('s12'), half === 'token', half);
    }
  });

  test('what went wrong while it removed is told apart from how full the pool is', async () => {
    const fake = short();
    fake.before = ([verb, target = '']) =>
      verb === 'destroy' && target.startsWith('fast@')
        ? { exitCode: 1, stderrTail: 'cannot destroy snapshot: dataset is busy\n' }
        : undefined;
    const { warnings, remarks = [] } = await retainSnapshots(fake.tools(run), ended);
    assert(remarks.length > 0 && remarks.every((words) => /was to go and stayed/.test(words)));
    assert(warnings.length > remarks.length);
  });

  test('a job without rules lists nothing and removes nothing', async () => {
    const fake = filled({});
    assert.equal((await retainSnapshots(fake.tools(run), input)).everything, true);
    assert.deepEqual(fake.commands, []);
  });
});

test('holds of a killed attempt are taken for ours', async () => {
  const fake = fakeZfs(['fast', 'fast/a'], {});
  for (const dataset of fake.datasets.keys()) fake.add(dataset, 's');
  fake.datasets.get('fast')?.get('s')?.holds.add('holdfast:x');
  const tools = fake.tools(run);
  await holdSnapshots(openZfs(tools, 'tree'), 'holdfast:x', { datasets: ['fast', 'fast/a'], snapshot: 's' });
  for (const snapshots of fake.datasets.values())
    assert.deepEqual([...(snapshots.get('s')?.holds ?? [])], ['holdfast:x']);
});

test('what is held in a pool that was imported read-only since is not taken for let go of; what others hold is none of ours', async () => {
  const fake = fakeZfs(['fast', 'fast/a'], {});
  for (const dataset of fake.datasets.keys()) fake.add(dataset, 's');
  for (const snapshots of fake.datasets.values()) snapshots.get('s')?.holds.add('fence');
  fake.before = ([verb]) => {
    if (verb === 'release') return { exitCode: 1, stderrTail: 'cannot release: pool is read-only\n' };
    return verb === 'get' ? { stdout: 'on\n' } : undefined;
  };
  const zfs = openZfs(fake.tools(run), 'tree');
  const release = () => releaseSnapshots(zfs, 'holdfast:x', { root: 'fast', snapshot: 's' });
  await release();
  fake.datasets.get('fast/a')?.get('s')?.holds.add('holdfast:x');
  await assert.rejects(release(), {
    message: /^fast\/a@s on "din" is held by us, and its pool .* read-only/,
  });
});
