import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { learnBrought, writeBrought } from '../../activities/zfs/brought.js';
import { planReplication } from '../../activities/zfs/plan-replication.js';
import type { PlanInput, ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import { retainReplicas } from '../../activities/zfs/retain-replicas.js';
import { judgeReplicas, type ReplicaRules } from '../../activities/zfs/retention-replica.js';
import type { Dataset, Snapshot } from '../../activities/zfs/types.js';
import { parseConfig } from '../../config/load.js';
import { fakeZfs } from '../support/fake-zfs.js';
import { dataset, listingOf, snapshot, wholePolicy } from '../support/zfs-trees.js';

const policy = { ...wholePolicy, destination: 'grogu' };

const hourS = 3600;
const start = 1_795_000_000;

/** One an hour, with the guids that both ends show. */
const hours = (from: number, to: number, more: Partial<Snapshot> = {}): Snapshot[] =>
  Array.from({ length: to - from }, (_, at) =>
    snapshot(`s${from + at}`, from + at + 10, { creationS: start + (from + at) * hourS, ...more }),
  );

const replica = (name: string, snapshots: Snapshot[], more: Partial<Dataset> = {}): Dataset =>
  dataset(name, { readonly: 'on', canmount: 'noauto', replicaOf: '1', ...more }, snapshots);

function both(source: Dataset[], target: Dataset[], more: Partial<ReplicationPolicy> = {}): PlanInput {
  return {
    source: listingOf(source),
    sourceRoot: 'fast/k',
    target: listingOf(target),
    targetRoot: 'backup/k',
    policy: { ...policy, ...more },
  };
}

const rules: ReplicaRules = {
  keep: { last: 2 },
  nowS: start + 100 * hourS,
  rpoS: undefined,
  timezone: 'UTC',
};

function judge(input: PlanInput, brought: readonly string[], more: Partial<ReplicaRules>) {
  const plans = planReplication(input);
  const verdicts = judgeReplicas({ plans, input }, new Set(brought), { ...rules, ...more }).flat();
  return new Map(verdicts.map((one) => [`${one.dataset}@${one.snapshot.name}`, one.reasons]));
}

const guidsOf = (snapshots: readonly Snapshot[]): string[] => snapshots.map(({ guid }) => guid);

describe('what a job has brought to its target', () => {
  test('is what both ends show, and stays known when the source has let it go', () => {
    const input = both([dataset('fast/k', {}, hours(3, 6))], [replica('backup/k', hours(0, 6))]);
    const plans = planReplication(input);
    assert.deepEqual([...learnBrought(new Set(), plans, input)], guidsOf(hours(3, 6)));
    const known = new Set([...guidsOf(hours(0, 3)), '77']);
    assert.deepEqual([...learnBrought(known, plans, input)], guidsOf(hours(0, 6)));
  });

  test('is not what others took there, and with "ours" not what others took at the source', () => {
    const [auto] = hours(9, 10);
    const source = dataset('fast/k', {}, [
      ...hours(0, 2, { run: 'hourly-2026-11-20T03:00:00Z' }),
      ...hours(2, 3),
    ]);
    const target = replica('backup/k', [
      ...hours(0, 3),
      { ...(auto as Snapshot), name: 'auto-2026-11-20_03-00' },
    ]);
    const input = both([source], [target], { snapshots: 'ours' });
    assert.deepEqual([...learnBrought(new Set(), planReplication(input), input)], guidsOf(hours(0, 2)));
  });
});

describe('which snapshots of a replica stay', () => {
  const all = guidsOf(hours(0, 10));

  test('are found under the name that the replica has until what is above it is renamed', () => {
    const input = both(
      [
        dataset('fast/k'),
        dataset('fast/k/z', { guid: '7' }, hours(20, 22)),
        dataset('fast/k/z/below', { guid: '8' }, hours(8, 10)),
      ],
      [
        replica('backup/k', []),
        replica('backup/k/a', hours(20, 22), { replicaOf: '7' }),
        replica('backup/k/a/below', hours(0, 10), { replicaOf: '8' }),
      ],
    );
    const verdicts = judge(input, all, {});
    assert.deepEqual(verdicts.get('backup/k/a/below@s7'), []);
  });

  test('what the rules keep, the newest common one, and whatever the job did not bring', () => {
    const input = both(
      [dataset('fast/k', {}, hours(8, 10))],
      [replica('backup/k', [snapshot('auto', 5), ...hours(0, 10)])],
    );
    const verdicts = judge(input, all, {});
    assert.equal(verdicts.has('backup/k@auto'), false);
    assert.deepEqual(verdicts.get('backup/k@s7'), []);
    assert.deepEqual(verdicts.get('backup/k@s8'), ['last']);
    assert.deepEqual(verdicts.get('backup/k@s9'), ['last', 'newest', 'newest common']);
  });

  test('a replica that lags keeps its base, whatever the rules say of it', () => {
    const input = both(
      [dataset('fast/k', { bookmarks: [] }, [...hours(3, 4), ...hours(20, 22)])],
      [replica('backup/k', hours(0, 4))],
    );
    const verdicts = judge(input, all, { keep: { last: 1 } });
    assert.deepEqual(verdicts.get('backup/k@s2'), []);
    assert.deepEqual(verdicts.get('backup/k@s3'), ['last', 'newest', 'newest common']);
  });

  test('the replica of a dataset that is gone, a diverged one and one that is too old are kept whole', () => {
    const wrote = replica('backup/k/wrote', hours(0, 10), { writtenBytes: 5 });
    const input = both(
      [dataset('fast/k', {}, hours(0, 10)), dataset('fast/k/wrote', {}, hours(0, 12))],
      [replica('backup/k', hours(0, 10)), wrote, replica('backup/k/gone', hours(0, 10))],
    );
    const verdicts = judge(input, all, {});
    assert.deepEqual(verdicts.get('backup/k@s0'), []);
    assert.deepEqual(verdicts.get('backup/k/wrote@s0'), ['its replica is not in order']);
    assert.deepEqual(verdicts.get('backup/k/gone@s0'), ['its source is gone']);
    const late = judge(input, all, { rpoS: 3 * hourS });
    assert.deepEqual(late.get('backup/k@s0'), ['its newest state is older than the objective']);
    const inTime = judge(input, all, { rpoS: 200 * hourS });
    assert.deepEqual(inTime.get('backup/k@s0'), []);
  });

  test('where the newer ones did not fit, old ones make room for them: to wait for a newer state would be to wait for ever', () => {
    const cut = replica('backup/k/cut', hours(0, 10), { resumeToken: '1-abc' });
    const input = {
      ...both(
        [dataset('fast/k', {}, hours(0, 12)), dataset('fast/k/cut', {}, hours(0, 12))],
        [replica('backup/k', hours(0, 10)), cut],
      ),
      tokens: new Map([
        [
          'backup/k/cut',
          {
            facts: {
              ...{ toGuid: hours(11, 12)[0]?.guid ?? '', toName: 'fast/k/cut@s11' },
              ...{ fromGuid: hours(9, 10)[0]?.guid ?? '', bytesDone: 5, raw: false },
            },
          },
        ],
      ]),
    };
    const reasons = (crowded: boolean): unknown[] => {
      const verdicts = judge(input, all, { rpoS: 3 * hourS, crowded });
      return ['k@s0', 'k/cut@s0', 'k@s9', 'k/cut@s9'].map((name) => verdicts.get(`backup/${name}`));
    };
    const late = 'its newest state is older than the objective';
    const broken = 'its replica is not in order';
    assert.deepEqual(reasons(false), [[late], [broken], [late], [broken]]);
    const newest = ['last', 'newest', 'newest common'];
    assert.deepEqual(reasons(true), [[], [], newest, newest]);
  });

  test('one that is held, one that was put aside, and the base of a copy of the copy stay', () => {
    const held = hours(0, 10).map((one, at) => ({ ...one, holds: at === 1 ? 1 : 0 }));
    const cursor = { ...snapshot('holdfast_offsite.k_1000013', 13), guid: '1000013' };
    const input = both(
      [dataset('fast/k', {}, hours(0, 10))],
      [
        replica('backup/k', held, { bookmarks: [cursor] }),
        replica('backup/k.parked-2026-11-20T030000Z', hours(0, 10)),
      ],
    );
    const verdicts = judge(input, all, {});
    assert.deepEqual(verdicts.get('backup/k@s1'), ['held']);
    assert.deepEqual(verdicts.get('backup/k@s3'), ['base of offsite.k']);
    assert.equal(
      [...verdicts.keys()].some((name) => name.includes('parked')),
      false,
    );
  });
});

describe('a backlog', () => {
  const segmentsOf = (more: Partial<ReplicationPolicy>) =>
    planReplication(
      both([dataset('fast/k', {}, hours(0, 50))], [replica('backup/k', hours(0, 1))], more),
    ).flatMap(({ segments }) =>
      segments.map(({ from, to, intermediates }) => [from?.name, to, intermediates]),
    );

  test('goes in one stream where the target keeps everything', () => {
    assert.deepEqual(segmentsOf({}), [['s0', 's49', true]]);
  });

  test('is thinned first where the target would not keep it, and its newest always travels', () => {
    // The start is 11:06 UTC: the last of each day are s12 and s36.
    assert.deepEqual(segmentsOf({ keep: { daily: 5 } }), [
      ['s0', 's12', false],
      ['s12', 's36', false],
      ['s36', 's49', false],
    ]);
    assert.deepEqual(segmentsOf({ keep: { last: 2 } }), [
      ['s0', 's48', false],
      ['s48', 's49', false],
    ]);
  });
});

describe('retention on the target, command by command', () => {
  const run = 'copy.prune-2026-11-20T03:00:00Z';
  const input = { job: 'copy', run, resource: 'tree', store: 'grogu', retryForMs: 0, round: 0 };
  const { config } = parseConfig(
    JSON.stringify({
      hosts: { din: {} },
      resources: { tree: { host: 'din', dataset: 'fast/k' } },
      stores: { grogu: { zfs: { host: 'din', dataset: 'backup' } } },
      jobs: {
        copy: {
          kind: 'zfs-replication',
          resources: ['tree'],
          store: 'grogu',
          snapshots: 'all',
          keep: { last: 3 },
        },
      },
    }),
    '/holdfast.yaml',
  );
  if (!config) throw new Error('the configuration of this test is wrong');

  const pools = (count: number) => {
    const fake = fakeZfs(['fast/k', 'backup/tree'], {});
    for (let at = 0; at < count; at += 1) fake.add('fast/k', `s${at}`);
    for (const [name, one] of fake.datasets.get('fast/k') ?? [])
      fake.datasets.get('backup/tree')?.set(name, { ...one, holds: new Set() });
    return { fake, tools: { ...fake.tools(run), config } };
  };
  const left = (fake: ReturnType<typeof fakeZfs>): string[] => [
    ...(fake.datasets.get('backup/tree')?.keys() ?? []),
  ];

  test('what no rule keeps goes from the target, and nothing from the source', async () => {
    const { fake, tools } = pools(5);
    const report = await retainReplicas(tools, input);
    assert.deepEqual([report.removed, report.kept, report.warnings], [2, 3, []]);
    assert.deepEqual(left(fake), ['s2', 's3', 's4']);
    assert.equal(fake.datasets.get('fast/k')?.size, 5);
  });

  test('what nobody has written down stays when the source no longer shows it', async () => {
    const { fake, tools } = pools(6);
    for (const name of ['s0', 's1', 's2']) fake.datasets.get('fast/k')?.delete(name);
    assert.equal((await retainReplicas(tools, input)).removed, 0);
    const guids = [...(fake.datasets.get('backup/tree')?.values() ?? [])].map(({ guid }) => guid);
    await writeBrought(tools.host, input, new Set(guids));
    assert.equal((await retainReplicas(tools, input)).removed, 3);
    assert.deepEqual(left(fake), ['s3', 's4', 's5']);
  });

  test('more than half waits for a yes, and just what was shown goes', async () => {
    const { fake, tools } = pools(10);
    const { asks, removed } = await retainReplicas(tools, input);
    assert.equal(removed, 0);
    assert.match(asks?.what ?? '', /7 of the 10 snapshots of backup\/tree/);
    assert.equal(left(fake).length, 10);
    await assert.rejects(retainReplicas(tools, { ...input, digest: 'another' }), { code: 'HF_NOT_APPROVED' });
    fake.add('fast/k', 'late');
    const late = fake.datasets.get('fast/k')?.get('late');
    if (late) fake.datasets.get('backup/tree')?.set('late', { ...late, holds: new Set() });
    const done = await retainReplicas(tools, { ...input, digest: asks?.digest ?? '' });
    assert.equal(done.removed, 7);
    assert.deepEqual(left(fake), ['s7', 's8', 's9', 'late']);
  });

  test('a snapshot that got another one in its place since it was judged is left alone', async () => {
    const { fake, tools } = pools(5);
    fake.before = (args) => {
      const one = args.includes('name,guid') && fake.datasets.get('backup/tree')?.get('s0');
      if (one) one.guid = '123';
      return undefined;
    };
    const { removed, warnings } = await retainReplicas(tools, input);
    assert.deepEqual([removed, left(fake)], [2, ['s0', 's2', 's3', 's4']]);
    assert.deepEqual(warnings, []);
  });
});
