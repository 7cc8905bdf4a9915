import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursorName, fenceTag, isCursor } from '../../activities/zfs/replicate-names.js';
import { type RoundsEnd, replicate } from '../../activities/zfs/replicate-rounds.js';
import type { ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import { isLeftBehind, isPromotedOver, knownGuids, stoppedGuids } from './clones.js';
import { Crash, ModelEnds, type ModelWatch } from './ends.js';
import { snapshotTree, sourceStep, tryStep } from './foreign.js';
import { Pool, World } from './pool.js';
import { type Random, seeded } from './random.js';

/** One source and two destinations that lag by themselves: what one of them does takes nothing from the other. */

const sourceRoot = 'fast/k';
const stores = ['grogu', 'offsite'] as const;
type Store = (typeof stores)[number];
const targetRoot = (store: Store): string => `${store}/k`;

class Estate {
  readonly world = new World();
  readonly source = new Pool(this.world, 'fast');
  readonly targets = {
    grogu: new Pool(this.world, 'grogu'),
    offsite: new Pool(this.world, 'offsite'),
  };
  /** What was ever sent, with its words. */
  readonly sent: ModelEnds['sent'][number][] = [];

  constructor(encrypted: boolean) {
    const { source } = this;
    source.create(sourceRoot, { encrypted });
    for (const name of ['pvc one', 'a', 'a/b'])
      source.create(`${sourceRoot}/${name}`, { encrypted }).written = 100;
    source.create(`${sourceRoot}/plain`).written = 100;
    source.create(`${sourceRoot}/plain/below`).written = 100;
  }

  watch(random: Random, stormy: boolean): ModelWatch {
    return {
      between: (what) => {
        if (stormy && random.chance(1, 6))
          tryStep(() => sourceStep(this.source, sourceRoot, random, 'hourly-2026-11-20T03:00:00Z'));
        this.assertBases(what);
        if (stormy && random.chance(1, 50)) throw new Crash(what);
      },
      cut: () => (stormy && random.chance(1, 8) ? random.below(10) / 10 : undefined),
      pick: (limit) => random.below(limit),
    };
  }

  /** Of each destination the last thing that arrived is still known on the source, and no cursor that stands alone is ahead of it. */
  private assertBases(when: string): void {
    const origins = new Map([...this.source.datasets.values()].map((one) => [one.guid, one]));
    for (const store of stores)
      for (const replica of this.targets[store].below(targetRoot(store))) {
        const origin = origins.get(replica.properties.get('holdfast:replica-of') ?? '');
        const newest = replica.snapshots.at(-1);
        if (!origin || !newest) continue;
        const roots = { sourceRoot, targetRoot: targetRoot(store) };
        if (isLeftBehind(origin, replica, this.targets[store], roots)) continue;
        assert(
          knownGuids(this.source, origin).includes(newest.guid),
          `${when}: the base of ${replica.name} is lost`,
        );
        if (isPromotedOver(this.source, origin, replica)) continue;
        const cursors = origin.bookmarks.filter(({ name }) => isCursor(name, store));
        const there = new Set(replica.snapshots.map(({ guid }) => guid));
        const bases = [...cursors, ...origin.snapshots].filter(({ guid }) => there.has(guid));
        assert(bases.length > 0, `${when}: every cursor of ${origin.name} is ahead of ${replica.name}`);
      }
  }

  async run(store: Store, policy: ReplicationPolicy, watch: ModelWatch, number: number) {
    const ends = new ModelEnds(this.source, sourceRoot, this.targets[store], targetRoot(store), watch);
    const request = { sourceRoot, targetRoot: targetRoot(store), policy };
    const run = `copy-2026-11-20T03:${String(number).padStart(2, '0')}:00Z`;
    try {
      const end = await replicate(ends, request, { destination: store, run, parallel: 2 });
      return { end, ends };
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      return { end: undefined, ends };
    } finally {
      this.sent.push(...ends.sent);
    }
  }

  /** In calm weather nothing is left over of either, and each has just the cursor of what it really has. */
  assertInOrder(store: Store, { last }: RoundsEnd, seed: number): void {
    const held = this.source
      .below(sourceRoot)
      .flatMap(({ snapshots }) => snapshots.flatMap(({ holds }) => [...holds]));
    assert.deepEqual(held, [], `seed ${seed}: holds were left behind`);
    const stopped = stoppedGuids(last.plans, this.targets[store]);
    for (const { kind, source, target, common } of last.plans) {
      if (kind !== 'nothing') continue;
      const cursors = this.source
        .dataset(source)
        .bookmarks.flatMap(({ name, guid }) =>
          isCursor(name, store) && (guid === common?.guid || !stopped.has(guid)) ? [name] : [],
        );
      assert.deepEqual(cursors, [cursorName(store, common?.guid ?? '')], `seed ${seed}: ${source}`);
      const fenced = this.targets[store].dataset(target).snapshots.filter(({ holds }) => holds.has(fenceTag));
      assert.deepEqual(
        fenced.map(({ guid }) => guid),
        [common?.guid],
        `seed ${seed}: ${target}`,
      );
    }
  }
}

const policyFor = (
  store: Store,
  random: Random,
  encrypted: ReplicationPolicy['encrypted'],
): ReplicationPolicy => ({
  destination: store,
  snapshots: random.chance(1, 2) ? 'ours' : 'all',
  catchUp: random.chance(1, 2) ? 'every' : 'newest',
  encrypted,
  excludes: () => false,
});

async function season(seed: number, encrypted: ReplicationPolicy['encrypted']): Promise<Estate> {
  const random = seeded(seed);
  const estate = new Estate(encrypted === 'required');
  const policies = {
    grogu: policyFor('grogu', random, encrypted),
    offsite: policyFor('offsite', random, encrypted),
  };
  snapshotTree(estate.source, sourceRoot, 'hourly-2026-11-20T02:00:00Z');
  for (let number = 0; number < 8; number += 1) {
    tryStep(() => snapshotTree(estate.source, sourceRoot, `hourly-2026-11-20T03:0${number}:00Z`));
    // The one far away runs as it can: it lags, and the near one goes on.
    const store = random.chance(1, 4) ? 'offsite' : 'grogu';
    await estate.run(store, policies[store], estate.watch(random, true), number);
  }
  snapshotTree(estate.source, sourceRoot, 'hourly-2026-11-20T09:00:00Z');
  const calm = estate.watch(random, false);
  for (const round of [10, 20])
    for (const store of stores) await estate.run(store, policies[store], calm, round);
  for (const store of stores) {
    const { end, ends } = await estate.run(store, policies[store], calm, 30);
    assert(end);
    assert.equal(ends.commands, 2, `seed ${seed}: ${store} is not idle\n${ends.log.join('\n')}`);
    estate.assertInOrder(store, end, seed);
    const stopped = end.last.plans.filter(
      ({ kind, reason }) =>
        kind === 'diverged' && !/was promoted and took|is no newer than the base/.test(reason),
    );
    assert.deepEqual(
      stopped.map(({ reason }) => reason),
      [],
      `seed ${seed}`,
    );
  }
  return estate;
}

const seeds = Array.from({ length: 50 }, (_, at) => at + 1);

test('through crashes, cuts and what others do to the source, neither destination loses its base to the other', async () => {
  for (const seed of seeds) {
    const { targets } = await season(seed, 'raw');
    for (const store of stores)
      assert(targets[store].below(targetRoot(store)).length > 1, `seed ${seed}: ${store}`);
  }
});

test('where encryption is required nothing that could be read ever leaves, at no time of any season', async () => {
  for (const seed of seeds) {
    const { sent, targets } = await season(seed, 'required');
    assert(sent.length > 0, `seed ${seed}: nothing was sent at all`);
    for (const { words, stream } of sent)
      assert(stream.encrypted && stream.raw, `seed ${seed}: left readable: ${words.join(' ')}`);
    for (const store of stores)
      assert.deepEqual(
        targets[store]
          .below(targetRoot(store))
          .filter(({ encrypted, snapshots }) => !encrypted && snapshots.length > 0),
        [],
        `seed ${seed}`,
      );
  }
});
