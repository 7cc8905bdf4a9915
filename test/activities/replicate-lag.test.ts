import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planReplication } from '../../activities/zfs/plan-replication.js';
import { replicaLag } from '../../activities/zfs/questions.js';
import { lagIn, proofOf, replicaStates } from '../../activities/zfs/replicate-lag.js';
import { readReplicaStates, writeReplicaStates } from '../../activities/zfs/replicate-states.js';
import type { PlanInput } from '../../activities/zfs/replicate-types.js';
import { replicaLines } from '../../cli/status-replicas.js';
import { parseConfig } from '../../config/load.js';
import type { ReplicaState, ReplicaStates } from '../../contracts/replication.js';
import { fakeZfs } from '../support/fake-zfs.js';
import { dataset, listingOf, snapshot, wholePolicy } from '../support/zfs-trees.js';

const hour = 3600;
const at = (name: string, hours: number, writtenBytes = 0) =>
  snapshot(name, hours * hour, { writtenBytes, referencedBytes: 5000 });
/** The same snapshot on the other pool: its guid is the same, its transaction group is not. */
const copied = (name: string, hours: number, createtxg: number) => ({ ...at(name, hours), createtxg });

const input: PlanInput = {
  source: listingOf([
    dataset('fast/k', {}, [at('h1', 1), at('h2', 2, 10)]),
    dataset('fast/k/behind', {}, [at('h1', 1), at('h2', 2, 100), at('h3', 3, 200)]),
    dataset('fast/k/wrote', {}, [at('h1', 1), at('h2', 2, 7)]),
    dataset('fast/k/none', {}, [at('h2', 2, 4000)]),
    dataset('fast/k/young', { createtxg: 9 * hour }),
  ]),
  sourceRoot: 'fast/k',
  target: listingOf([
    dataset('backup', {}),
    dataset('backup/k', {}, [copied('h1', 1, 31), copied('h2', 2, 32)]),
    dataset('backup/k/behind', {}, [copied('h1', 1, 33)]),
    dataset('backup/k/wrote', { writtenBytes: 9 }, [copied('h1', 1, 34)]),
  ]),
  targetRoot: 'backup/k',
  policy: wholePolicy,
};
const states = replicaStates(planReplication(input), input);
const of = (source: string): ReplicaState | undefined => states.find((state) => state.source === source);

test('for each dataset the newest common snapshot stands with its guid and its transaction group on both sides', () => {
  assert.deepEqual(of('fast/k')?.common, {
    name: 'h2',
    guid: String(1_000_000 + 2 * hour),
    createtxg: 2 * hour,
    targetCreatetxg: 32,
    creationS: 1_795_000_000 + 2 * hour,
  });
  assert.deepEqual([of('fast/k')?.lagMs, of('fast/k')?.lagBytes], [0, 0]);
});

test('how far a dataset is behind is told in time and bytes, also of one that is stopped or has nothing', () => {
  assert.deepEqual([of('fast/k/behind')?.lagMs, of('fast/k/behind')?.lagBytes], [2 * hour * 1000, 300]);
  const wrote = of('fast/k/wrote');
  assert.deepEqual([wrote?.kind, wrote?.lagMs, wrote?.lagBytes], ['diverged', hour * 1000, 7]);
  const none = of('fast/k/none');
  assert.deepEqual([none?.common, none?.lagMs, none?.lagBytes], [undefined, undefined, 5000]);
  assert.equal(of('fast/k/young'), undefined, 'it comes with the next snapshot');
});

test('nobody vouches for a replica that is stopped, and the digest goes by what both sides show', () => {
  const proof = proofOf(states);
  assert.deepEqual([proof.datasets, proof.restorePoint, proof.lagging], [2, undefined, 3]);
  const sound = states.filter(({ kind }) => kind === 'nothing');
  assert.equal(proofOf(sound).restorePoint, new Date((1_795_000_000 + 2 * hour) * 1000).toISOString());
  const moved = sound.map((state) =>
    state.common ? { ...state, common: { ...state.common, targetCreatetxg: 99 } } : state,
  );
  assert.notEqual(proofOf(moved).digest, proofOf(sound).digest);
});

const { config } = parseConfig(
  JSON.stringify({
    hosts: { din: {} },
    resources: { k: { host: 'din', dataset: 'fast/k' }, other: { host: 'din', dataset: 'fast/o' } },
    stores: { grogu: { zfs: { host: 'din', dataset: 'backup' } } },
    jobs: { copy: { kind: 'zfs-replication', resources: ['k'], store: 'grogu' } },
  }),
  '/holdfast.yaml',
);
if (!config) throw new Error('the configuration of this test is wrong');
const all: ReplicaStates = {
  run: 'copy-2026-11-20T03:00:00Z',
  at: '2026-11-20T03:01:00.000Z',
  digest: 'd',
  states,
};

test('the last look is kept and asked for by names that the configuration joins', async () => {
  const { host } = fakeZfs(['fast/k'], {}).tools(all.run);
  const question = { resource: 'k', store: 'grogu', limit: 2 };
  assert.deepEqual((await replicaLag(host, config, question)).at, undefined, 'nobody has looked yet');
  await writeReplicaStates(host, question, all);
  assert.deepEqual(await readReplicaStates(host, question), JSON.parse(JSON.stringify(all)));
  const lag = await replicaLag(host, config, question);
  assert.deepEqual(
    lag.worst.map(({ source }) => source),
    ['fast/k/none', 'fast/k/behind'],
  );
  assert.deepEqual([lag.datasets, lag.lagging, lag.lagBytes], [4, 3, 5307]);
  for (const wrong of [{ resource: 'other' }, { store: 'usb' }, { resource: '../../etc/x' }])
    await assert.rejects(replicaLag(host, config, { ...question, ...wrong }), { code: 'HF_NOT_IN_CONFIG' });
});

test('status shows the datasets that lag most with age and bytes, and says where nothing is known', () => {
  const context = {
    terminal: false,
    colours: {},
    now: () => new Date((1_795_000_000 + 5 * hour) * 1000),
  } as unknown as Parameters<typeof replicaLines>[0];
  const silent = { resource: 'vms', store: 'grogu', datasets: 0, lagging: 0, lagBytes: 0, worst: [] };
  const [first, second, , ...rows] = replicaLines(context, [
    lagIn({ resource: 'k', store: 'grogu' }, all, 5),
    { ...silent, error: 'no worker answers' },
  ]);
  assert.match(first ?? '', /^k in grogu: 3 of 4 datasets were behind, by at most 5\.18 KiB in all/);
  assert.match(second ?? '', /not known: no worker answers$/);
  assert.deepEqual(rows.join('\n').split('\n').slice(-3), [
    'fast/k/none\tgrogu\tnothing\t-\t-\t4.88 KiB\tfull',
    'fast/k/behind\tgrogu\t@h1\t4 h\t2 h\t300 B\tincremental',
    'fast/k/wrote\tgrogu\t@h1\t4 h\t1 h\t7 B\tdiverged',
  ]);
});
