import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursorName, fenceTag, isCursor } from '../../activities/zfs/replicate-names.js';
import { type RoundsEnd, replicate } from '../../activities/zfs/replicate-rounds.js';
import type { ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import { isLeftBehind, knownGuids, stoppedGuids } from './clones.js';
import { Crash, ModelEnds, type ModelWatch } from './ends.js';
import { snapshotTree, sourceStep, targetStep, tryStep } from './foreign.js';
import { type ModelDataset, Pool, World } from './pool.js';
import { type Random, seeded } from './random.js';

/** Two pools, everything that can happen between any two commands, and what must hold all the same. */

const sourceRoot = 'fast/kubernetes';
const targetRoot = 'backup/kubernetes';

interface Estate {
  source: Pool;
  target: Pool;
}

function estate(): Estate {
  const world = new World();
  const source = new Pool(world, 'fast');
  const target = new Pool(world, 'backup');
  source.create(sourceRoot);
  source.create(`${sourceRoot}/pvc one`).written = 500;
  source.create(`${sourceRoot}/secret`, { encrypted: true }).written = 300;
  source.create(`${sourceRoot}/secret/below`, { encrypted: true });
  source.create(`${sourceRoot}/vol`, { type: 'volume' }).written = 200;
  return { source, target };
}

const policyFor = (random: Random): ReplicationPolicy => ({
  destination: 'grogu',
  snapshots: random.chance(1, 2) ? 'ours' : 'all',
  catchUp: random.chance(1, 2) ? 'every' : 'newest',
  encrypted: 'raw',
  excludes: () => false,
});

interface Storm {
  crashes: boolean;
  cuts: boolean;
  foreign: boolean;
  harmful: boolean;
}

const calmSea: Storm = { crashes: false, cuts: false, foreign: false, harmful: false };

function watchFor(random: Random, { source, target }: Estate, storm: Storm): ModelWatch {
  return {
    between(what) {
      if (storm.foreign && random.chance(1, 6))
        tryStep(() => sourceStep(source, sourceRoot, random, 'hourly-2026-11-20T03:00:00Z'));
      if (storm.foreign && random.chance(1, 10))
        tryStep(() => targetStep(target, targetRoot, random, storm.harmful));
      if (!storm.harmful) assertBases({ source, target }, what);
      if (storm.crashes && random.chance(1, 60)) throw new Crash(what);
    },
    cut: () => (storm.cuts && random.chance(1, 8) ? random.below(10) / 10 : undefined),
    pick: (limit) => random.below(limit),
  };
}

/** The last thing that arrived is still known on the source, as a snapshot or as a bookmark: the next stream has a base. */
function assertBases({ source, target }: Estate, when: string): void {
  const bySource = new Map([...source.datasets.values()].map((dataset) => [dataset.guid, dataset]));
  for (const replica of target.below(targetRoot)) {
    const origin = bySource.get(replica.properties.get('holdfast:replica-of') ?? '');
    const newest = replica.snapshots.filter(({ name }) => !name.startsWith('auto-there-')).at(-1);
    if (!origin || !newest) continue;
    if (isLeftBehind(origin, replica, target, { sourceRoot, targetRoot })) continue;
    assert(
      knownGuids(source, origin).includes(newest.guid),
      `${when}: the base ${replica.name}@${newest.name} is lost on ${origin.name}`,
    );
  }
}

async function run(
  pools: Estate,
  policy: ReplicationPolicy,
  watch: ModelWatch,
  number: number,
): Promise<{ end: RoundsEnd | undefined; ends: ModelEnds }> {
  const ends = new ModelEnds(pools.source, sourceRoot, pools.target, targetRoot, watch);
  const name = `replica-2026-11-20T03:${String(number).padStart(2, '0')}:00Z`;
  try {
    const request = { sourceRoot, targetRoot, policy };
    const end = await replicate(ends, request, { destination: 'grogu', run: name, parallel: 2 });
    return { end, ends };
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return { end: undefined, ends };
  } finally {
    for (const { words, stream } of ends.sent)
      assert(!stream.encrypted || stream.raw, `left readable: ${words.join(' ')}`);
  }
}

/** Days of runs in a storm, then calm: what is left must be in order. */
async function season(seed: number, storm: Storm): Promise<{ pools: Estate; end: RoundsEnd }> {
  const random = seeded(seed);
  const policy = policyFor(random);
  const pools = estate();
  snapshotTree(pools.source, sourceRoot, 'hourly-2026-11-20T02:00:00Z');
  for (let number = 0; number < 6; number++) {
    tryStep(() => snapshotTree(pools.source, sourceRoot, `hourly-2026-11-20T03:0${number}:00Z`));
    await run(pools, policy, watchFor(random, pools, storm), number);
  }
  snapshotTree(pools.source, sourceRoot, 'hourly-2026-11-20T09:00:00Z');
  const calm = watchFor(random, pools, { ...calmSea, harmful: storm.harmful });
  await run(pools, policy, calm, 10);
  const { end } = await run(pools, policy, calm, 11);
  const { ends } = await run(pools, policy, calm, 12);
  assert(end);
  const told = end.last.plans.map(({ kind, target, reason }) => `${kind} ${target}: ${reason}`);
  const seen = [
    `seed ${seed}`,
    ...told,
    ...end.troubles.map(({ target, words }) => `${target}: ${words}`),
    ...ends.log,
  ];
  assert.equal(ends.commands, 2, `with nothing to do, both ends are asked once; ${seen.join('\n')}`);
  return { pools, end };
}

const holdsOf = (datasets: ModelDataset[]): string[] =>
  datasets.flatMap(({ name, snapshots }) =>
    snapshots.flatMap((snapshot) => [...snapshot.holds].map((tag) => `${tag} on ${name}@${snapshot.name}`)),
  );

function assertInOrder({ source, target }: Estate, end: RoundsEnd): void {
  assert.deepEqual(holdsOf(source.below(sourceRoot)), [], 'holds were left behind on the source');
  const stopped = stoppedGuids(end.last.plans, target);
  for (const plan of end.last.plans.filter(({ kind }) => kind === 'nothing')) {
    const cursors = source
      .dataset(plan.source)
      .bookmarks.filter(({ name, guid }) => isCursor(name, 'grogu') && !stopped.has(guid));
    assert.deepEqual(
      cursors.map(({ name }) => name),
      [cursorName('grogu', plan.common?.guid ?? '')],
    );
    const fenced = target
      .dataset(plan.target)
      .snapshots.filter(({ holds }) => holds.has(fenceTag))
      .map(({ guid }) => guid);
    assert.deepEqual(fenced, [plan.common?.guid]);
  }
}

const seeds = Array.from({ length: 60 }, (_, index) => index + 1);

test('in calm weather every dataset arrives, and a second look finds nothing to do', async () => {
  for (const seed of seeds.slice(0, 8)) {
    const { pools, end } = await season(seed, calmSea);
    assert.deepEqual([...new Set(end.last.plans.map(({ kind }) => kind))], ['nothing'], `seed ${seed}`);
    assertInOrder(pools, end);
  }
});

test('killed before and after any command, with streams cut anywhere: it ends in order, and no base is ever lost', async () => {
  for (const seed of seeds) {
    const { pools, end } = await season(seed, { ...calmSea, crashes: true, cuts: true });
    assert.deepEqual([...new Set(end.last.plans.map(({ kind }) => kind))], ['nothing'], `seed ${seed}`);
    assertInOrder(pools, end);
  }
});

test('others take, prune, clone, promote, rename and destroy between any two commands: no base is ever lost', async () => {
  let clones = 0;
  let promoted = 0;
  for (const seed of seeds) {
    const { pools, end } = await season(seed, { crashes: true, cuts: true, foreign: true, harmful: false });
    assertInOrder(pools, end);
    const isClone = ({ source }: { source: string }): boolean =>
      pools.source.datasets.get(source)?.origin !== undefined;
    clones += end.last.plans.filter((plan) => plan.kind === 'nothing' && isClone(plan)).length;
    const stopped = end.last.plans.filter(({ kind }) => kind === 'diverged' || kind === 'encryption');
    // Whose snapshots went over to a clone has no base of its own left, and a name may be given twice: only that stops, and says so.
    const over = stopped.filter((plan) => isClone(plan) && /was promoted and took/.test(plan.reason));
    promoted += over.length;
    const others = stopped.filter(
      (plan) => !over.includes(plan) && !/is no newer than the base/.test(plan.reason),
    );
    assert.deepEqual(
      others.map(({ target, reason }) => `${target}: ${reason}`),
      [],
      `seed ${seed}`,
    );
  }
  assert(clones > 20 && promoted > 0, `only ${clones} clones and ${promoted} that were promoted over`);
});

test('replicas that others write to, roll back, rename and destroy stop alone and lose nothing by us', async () => {
  for (const seed of seeds) {
    const { pools, end } = await season(seed, { crashes: true, cuts: true, foreign: true, harmful: true });
    assertInOrder(pools, end);
  }
});
