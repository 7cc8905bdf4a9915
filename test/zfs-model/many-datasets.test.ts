import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Ends } from '../../activities/zfs/replicate-ends.js';
import { groupsOf } from '../../activities/zfs/replicate-group.js';
import { describeLook } from '../../activities/zfs/replicate-look.js';
import { partsOf } from '../../activities/zfs/replicate-pipe.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import { survey } from '../../activities/zfs/replicate-survey.js';
import { repositoryRoot } from '../support/root.js';
import { wholePolicy } from '../support/zfs-trees.js';
import { ModelEnds } from './ends.js';
import { snapshotTree } from './foreign.js';
import { Pool, World } from './pool.js';

/** What a large tree costs, in commands and in steps of the workflow: not what each dataset would cost. */

const sourceRoot = 'fast/kubernetes';
const targetRoot = 'backup/kubernetes';
const policy = { ...wholePolicy, destination: 'grogu.kubernetes' };
const request = { sourceRoot, targetRoot, policy };
const nameOf = (at: number): string => `${sourceRoot}/pvc-${String(at).padStart(5, '0')}-0123-4567-89ab`;

function poolsOf(children: number): { source: Pool; target: Pool } {
  const world = new World();
  const [source, target] = [new Pool(world, 'fast'), new Pool(world, 'backup')];
  source.create(sourceRoot);
  for (let at = 0; at < children; at++) source.create(nameOf(at)).written = 10;
  return { source, target };
}

/** As the model, but streams that do not fit into one program cost a pipe of their own. */
function endsOf({ source, target }: ReturnType<typeof poolsOf>) {
  const model = new ModelEnds(source, sourceRoot, target, targetRoot);
  const ends: Ends = {
    list: (side) => model.list(side),
    listAsides: () => model.listAsides(),
    readTokens: (tokens) => model.readTokens(tokens),
    sizes: (streams) => model.sizes(streams),
    holdTags: (side, snapshots) => model.holdTags(side, snapshots),
    change: (...change) => model.change(...change),
    transfer(streams) {
      model.commands += 2 * (partsOf(streams, ['zfs'], ['sudo', '-n', 'zfs']).length - 1);
      return model.transfer(streams);
    },
  };
  return { model, ends };
}

async function run(pools: ReturnType<typeof poolsOf>, name: string) {
  const { model, ends } = endsOf(pools);
  const { last, troubles } = await replicate(ends, request, {
    destination: policy.destination,
    run: name,
    parallel: 2,
  });
  assert.deepEqual(troubles, []);
  assert.deepEqual(new Set(last.plans.map(({ kind }) => kind)), new Set(['nothing']));
  return { commands: model.commands, streams: model.sent.length };
}

test('of 1,000 datasets 100 that changed cost no more commands than a few batches, and none that changed two', async () => {
  const pools = poolsOf(999);
  const { source } = pools;
  snapshotTree(source, sourceRoot, 'hourly-2026-11-20T02:00:00Z');
  await run(pools, 'replica-2026-11-20T02:01:00Z');
  assert.equal((await run(pools, 'replica-2026-11-20T02:02:00Z')).commands, 2);
  for (let at = 0; at < 100; at++) {
    const name = nameOf(at * 9);
    source.dataset(name).written += 100;
    source.takeSnapshot(`${name}@hourly-2026-11-20T03:00:00Z`);
  }
  const { commands, streams } = await run(pools, 'replica-2026-11-20T03:01:00Z');
  assert.equal(streams, 100);
  // Two looks of two commands, one batch of cursors and holds, a pipe or two of two commands each, and one batch that gives them back on either side.
  assert(commands <= 12, `${commands} commands`);
  assert.equal((await run(pools, 'replica-2026-11-20T03:02:00Z')).commands, 2);
});

/** More of them end a workflow of Temporal. */
const mostEvents = 51_200;
/** Two of the stream, and three that go on with what arrived of it. */
const mostTriesOfAStream = 5;

/** Events for each transfer, in the recorded run that took the most: its pools were busy with those of another. */
function dearestStep(): number {
  const folder = join(repositoryRoot, 'test/histories/replicateDatasets');
  const steps = readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const { events } = JSON.parse(text) as { events: object[] };
    const transfers = text.match(/"name": ?"zfsTransferReplicas"/g)?.length ?? 0;
    return transfers === 0 ? [] : [events.length / transfers];
  });
  assert(steps.length > 3);
  return Math.max(...steps);
}

/** Datasets in so many levels below the root, as they come: all of one level, then the next. */
function deepPools(children: number, levels: number): ReturnType<typeof poolsOf> {
  const pools = poolsOf(0);
  let parents = [sourceRoot];
  for (let level = 0; level < levels; level++) {
    parents = Array.from({ length: children / levels }, (_, at) => `${parents[at % parents.length]}/n${at}`);
    for (const name of parents) pools.source.create(name);
  }
  return pools;
}

for (const levels of [1, 5])
  test(`10,000 new datasets in ${levels} levels are few enough steps for one history, whatever fails as often as it may`, async () => {
    const pools = deepPools(10_000, levels);
    snapshotTree(pools.source, sourceRoot, 'hourly-2026-11-20T02:00:00Z');
    const { plans } = await survey(endsOf(pools).ends, request);
    let waiting = plans.filter(({ kind }) => kind === 'full');
    assert.equal(waiting.length, 10_001);
    let groups = 0;
    let rounds = 0;
    while (waiting.length > 0) {
      const round = groupsOf(waiting, 8);
      const going = new Set(round.flat());
      for (const group of round) assert(group.length <= 100, `${group.length} datasets in one group`);
      groups += round.length;
      rounds += 1;
      waiting = waiting.filter((plan) => !going.has(plan));
    }
    assert(rounds <= levels + 1, `${rounds} rounds`);
    assert(groups <= 100 + 8 * rounds, `${groups} groups`);
    const events = Math.ceil(groups * mostTriesOfAStream * dearestStep());
    assert(events < mostEvents / 1.5, `${events} events of at most ${mostEvents}`);
  });

test('what a look at 2,000 datasets tells the workflow stays short, also when each of them is in trouble', async () => {
  const pools = poolsOf(1_999);
  snapshotTree(pools.source, sourceRoot, 'hourly-2026-11-20T02:00:00Z');
  await run(pools, 'replica-2026-11-20T02:01:00Z');
  const long = 'x'.repeat(200);
  const bytesTold = async (): Promise<[bytes: number, ReturnType<typeof describeLook>]> => {
    const now = await survey(endsOf(pools).ends, request);
    const targets = now.plans.map(({ target }) => target);
    const troubles = targets.map((target) => ({ target, words: long }));
    const failed = new Map(targets.map((target) => [target, long]));
    const remarks = targets.map((target) => `${target}: ${long}`);
    const told = describeLook(now, troubles, failed, { leftOut: [], availableBytes: 0, remarks });
    return [Buffer.byteLength(JSON.stringify(told)), told];
  };
  for (const dataset of pools.target.below(targetRoot)) dataset.properties.set('readonly', 'off');
  const [drifted, { warnings }] = await bytesTold();
  assert.match(warnings.join('\n'), /readonly is not on/);
  snapshotTree(pools.source, sourceRoot, 'hourly-2026-11-20T03:00:00Z');
  const [late, { behindCount }] = await bytesTold();
  for (const dataset of pools.target.below(targetRoot)) dataset.written = 100;
  const [diverged, { stoppedCount }] = await bytesTold();
  for (const { name } of pools.source.below(sourceRoot).slice(1)) pools.source.destroyTree(name);
  const [vanished, { counts }] = await bytesTold();
  assert.deepEqual([behindCount, stoppedCount, counts.gone], [2_000, 2_000, 1_999]);
  for (const bytes of [drifted, late, diverged, vanished]) assert(bytes < 10_000, `${bytes} bytes`);
});
