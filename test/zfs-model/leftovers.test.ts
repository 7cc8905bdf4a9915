import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimsOn, type Remembered } from '../../activities/zfs/leftovers.js';
import { type Mark, marksIn } from '../../activities/zfs/marks.js';
import { judge, type Place, type Rules, releaseApproved } from '../../activities/zfs/release-leftovers.js';
import { destinationOf, shortOf } from '../../activities/zfs/replicate-names.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import { parseConfig } from '../../config/load.js';
import { wholePolicy } from '../support/zfs-trees.js';
import { Crash, calm, listing, ModelEnds, type ModelWatch } from './ends.js';
import { snapshotTree, sourceStep, tryStep } from './foreign.js';
import { Pool, World } from './pool.js';
import { seeded } from './random.js';

/** A job, a store or a name goes out of the file: what it left is let go, and nothing that another copy needs. */

const sourceRoot = 'fast/k';
const resource = 'k';
/** By their names in the file: which pool and place. `again` is "grogu" under a new name. */
const places: Record<string, string> = { grogu: 'grogu', again: 'grogu', offsite: 'offsite' };

function rulesFor(stores: readonly string[], endedRuns: readonly string[]): Rules {
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: {
        din: {},
        grogu: { ssh: { address: '192.0.2.1', user: 'root', via: 'din' } },
        offsite: { ssh: { address: '192.0.2.2', user: 'root', via: 'din' } },
      },
      resources: { [resource]: { host: 'din', dataset: sourceRoot } },
      stores: Object.fromEntries(
        stores.map((store) => [store, { zfs: { host: places[store], dataset: `${places[store]}/at` } }]),
      ),
      jobs: { copy: { kind: 'zfs-replication', resources: [resource], stores, snapshots: 'all' } },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  const destinations = ['grogu', 'again', 'offsite'].map((store) => {
    const root = `${places[store]}/at/${resource}`;
    return [shortOf(destinationOf({ store, resource })), { resource, store, root }] as const;
  });
  const remembered: Remembered = new Map(destinations);
  return { claims: claimsOn(config, 'din'), remembered, endedRuns, alsoUnknown: false };
}

class Estate {
  readonly world = new World();
  readonly source = new Pool(this.world, 'fast');
  readonly pools: Record<string, Pool> = {
    grogu: new Pool(this.world, 'grogu'),
    offsite: new Pool(this.world, 'offsite'),
  };
  /** Every run that was ever begun; all of them are over when one looks. */
  readonly runs: string[] = [];

  constructor() {
    this.source.create(sourceRoot);
    for (const name of ['pvc one', 'a', 'a/b']) this.source.create(`${sourceRoot}/${name}`).written = 100;
    for (const pool of Object.values(this.pools)) pool.create(`${pool.name}/at`);
    this.snapshot();
  }

  snapshot(): void {
    for (const dataset of this.source.below(sourceRoot)) dataset.written += 100;
    snapshotTree(this.source, sourceRoot, 'hourly-2026-11-20T03:00:00Z');
  }

  /** Only the newest stays, as retention would have it; what is held cannot go. */
  prune(): void {
    for (const { name, snapshots } of this.source.below(sourceRoot))
      for (const one of snapshots.slice(0, -1))
        tryStep(() => this.source.destroySnapshot(`${name}@${one.name}`));
  }

  async run(store: string, watch: ModelWatch = calm) {
    const pool = this.pools[places[store] ?? ''] as Pool;
    const targetRoot = `${pool.name}/at/${resource}`;
    const destination = destinationOf({ store, resource });
    const ends = new ModelEnds(this.source, sourceRoot, pool, targetRoot, watch);
    const policy = { ...wholePolicy, destination };
    const run = `copy-2026-11-20T03:00:${String(this.runs.length).padStart(2, '0')}Z`;
    this.runs.push(run);
    try {
      const end = await replicate(
        ends,
        { sourceRoot, targetRoot, policy },
        { destination, run, parallel: 2 },
      );
      return { end, ends };
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      return { end: undefined, ends };
    }
  }

  place(watch: ModelWatch = calm): Place {
    const ends = new ModelEnds(this.source, sourceRoot, this.source, sourceRoot, watch);
    return { look: async () => this.marks(), change: (commands) => ends.change('source', commands) };
  }

  marks(): Mark[] {
    const all = [...listing(this.source, sourceRoot).values()];
    const rows = all.flatMap(({ name, snapshots, bookmarks }) => [
      ...snapshots.map((one) => ({ ...one, name: `${name}@${one.name}` })),
      ...bookmarks.map((one) => ({ ...one, name: `${name}#${one.name}`, usedBytes: 0, holds: 0 })),
    ]);
    const held = this.source
      .below(sourceRoot)
      .flatMap(({ name, snapshots }) =>
        snapshots.map((one) => [`${name}@${one.name}`, [...one.holds]] as const),
      );
    return marksIn(rows, new Map(held));
  }

  of(store: string): Mark[] {
    const short = shortOf(destinationOf({ store, resource }));
    return this.marks().filter(({ destination }) => destination === short);
  }

  /** Everything that is not of one destination, as text. */
  allBut(store: string): string[] {
    const own = shortOf(destinationOf({ store, resource }));
    return this.source
      .below(sourceRoot)
      .flatMap(({ name, snapshots, bookmarks }) => [
        ...snapshots.flatMap((one) => [
          `${name}@${one.name} ${one.guid}`,
          ...[...one.holds]
            .filter((tag) => !tag.startsWith(`holdfast_${own}_`))
            .map((tag) => `${name}@${one.name} ${tag}`),
        ]),
        ...bookmarks
          .filter((one) => !one.name.startsWith(`holdfast_${own}_`))
          .map((one) => `${name}#${one.name}`),
      ]);
  }

  /** A human sees the plan, says yes, and it is done. */
  async release(stores: readonly string[], watch: ModelWatch = calm) {
    const rules = rulesFor(stores, this.runs);
    const plan = judge(this.marks(), rules);
    return { plan, ...(await releaseApproved(this.place(watch), rules, plan.goes)) };
  }
}

const seeds = Array.from({ length: 12 }, (_, at) => at + 1);

test('after a store was taken out, just its holds and bookmarks go, and the copy that is left goes on from its base', async () => {
  for (const seed of seeds) {
    const random = seeded(seed);
    const estate = new Estate();
    const stormy: ModelWatch = {
      between: () => {
        if (random.chance(1, 6))
          tryStep(() => sourceStep(estate.source, sourceRoot, random, 'hourly-2026-11-20T03:00:00Z'));
        if (random.chance(1, 25)) throw new Crash('storm');
      },
      cut: () => (random.chance(1, 8) ? random.below(10) / 10 : undefined),
      pick: (limit) => random.below(limit),
    };
    for (let number = 0; number < 8; number += 1) {
      estate.snapshot();
      await estate.run(random.chance(1, 2) ? 'offsite' : 'grogu', stormy);
    }
    await estate.run('grogu');
    await estate.run('grogu');
    const before = estate.allBut('offsite');
    const based = new Set(estate.of('grogu').map(({ dataset }) => dataset));
    assert(based.size > 0);
    // Killed in the middle and begun again, as often as it takes.
    const crashing = {
      ...stormy,
      between: () => void (random.chance(1, 10) && failWith(new Crash('killed'))),
    };
    for (let tries = 0; tries < 30; tries += 1) {
      const end = await estate.release(['grogu'], crashing).catch(onlyCrash);
      if (end) break;
    }
    const { plan, warnings } = await estate.release(['grogu']);
    assert.deepEqual(warnings, [], `seed ${seed}`);
    assert.deepEqual(
      estate.of('offsite').map(({ at }) => at),
      plan.stays.map(({ mark }) => mark.at),
      `seed ${seed}`,
    );
    assert.deepEqual(plan.stays, [], `seed ${seed}: after two calm runs grogu has a base everywhere`);
    assert.deepEqual(estate.allBut('offsite'), before, `seed ${seed}: something else was touched`);
    estate.snapshot();
    estate.prune();
    const { end, ends } = await estate.run('grogu');
    assert(end);
    const anew = ends.sent.flatMap(({ stream, words }) =>
      stream.parts[0]?.fromGuid === undefined ? (words.at(-1)?.split('@')[0] ?? []) : [],
    );
    assert.deepEqual(
      anew.filter((dataset) => based.has(dataset)),
      [],
      `seed ${seed}: a base was lost`,
    );
  }
});

const failWith = (error: Error): never => {
  throw error;
};
const onlyCrash = (error: unknown): void => {
  if (!(error instanceof Crash)) throw error;
};

test('under a new name the old bookmark stays as long as it is the only base, and goes when the new one has its own', async () => {
  const estate = new Estate();
  await estate.run('grogu');
  estate.snapshot();
  estate.prune();
  const old = estate.of('grogu').length;
  assert.equal(old, 4);
  const early = await estate.release(['again']);
  assert.deepEqual(early.plan.goes, []);
  assert.match(
    early.plan.stays[0]?.why ?? '',
    /again\.k has no base of its own there yet: run its job first/,
  );
  assert.equal(estate.of('grogu').length, old);

  const { ends } = await estate.run('again');
  assert.equal(ends.sent.length, 4);
  assert(
    ends.sent.every(({ stream }) => stream.parts[0]?.fromGuid !== undefined),
    'sent anew, although a base was there',
  );
  const late = await estate.release(['again']);
  assert.equal(late.released.length, old);
  assert.deepEqual(estate.of('grogu'), []);
});

test('a bookmark that is newer than the base of the copy in the same place stays, one for another place does not', async () => {
  const estate = new Estate();
  await estate.run('again');
  await estate.run('offsite');
  estate.snapshot();
  await estate.run('grogu');
  const { plan } = await estate.release(['again']);
  assert.deepEqual(new Set(plan.goes.map(({ destination }) => destination)), new Set(['offsite.k']));
  assert(plan.stays.every(({ why }) => /again\.k has no base there that is as new/.test(why)));
  assert.equal(plan.stays.length, 4);
});

test('what a run that may still be going holds stays, and so do its bookmarks', async () => {
  const estate = new Estate();
  await estate.run('grogu');
  const cut: ModelWatch = {
    ...calm,
    between: (what) => void (what.startsWith('before receive') && failWith(new Crash(what))),
  };
  await estate.run('offsite', cut);
  const held = estate.of('offsite');
  assert(held.some(({ kind }) => kind === 'hold') && held.some(({ kind }) => kind === 'cursor'));
  const running = rulesFor(['grogu'], estate.runs.slice(0, 1));
  const { goes, holdingRuns } = judge(estate.marks(), running);
  assert.deepEqual(goes, []);
  assert.deepEqual(holdingRuns, estate.runs.slice(1));
  // Approved while it was over, and somebody has begun another one since.
  const plan = judge(estate.marks(), rulesFor(['grogu'], estate.runs));
  assert.equal(plan.goes.length, held.length);
  const { released, warnings } = await releaseApproved(estate.place(), running, plan.goes);
  assert.deepEqual(released, []);
  assert.equal(warnings.length, held.length);
  assert.deepEqual(estate.of('offsite'), held);
});

test('what belongs to a job again since it was shown is left alone', async () => {
  const estate = new Estate();
  await estate.run('grogu');
  await estate.run('offsite');
  const { goes } = judge(estate.marks(), rulesFor(['grogu'], estate.runs));
  assert.equal(goes.length, 4);
  const { released, warnings } = await releaseApproved(
    estate.place(),
    rulesFor(['grogu', 'offsite'], estate.runs),
    goes,
  );
  assert.deepEqual(released, []);
  assert.equal(warnings.length, 4);
  assert.match(warnings[0] ?? '', /is of a job of the file again: left alone/);
  assert.equal(estate.of('offsite').length, 4);
});
