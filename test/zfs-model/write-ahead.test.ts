import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursorName, fenceTag, holdTag } from '../../activities/zfs/replicate-names.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import type { Stream } from '../../activities/zfs/replicate-streams.js';
import { wholePolicy } from '../support/zfs-trees.js';
import { Crash, calm, ModelEnds, type ModelWatch } from './ends.js';
import { snapshotTree, sourceStep, tryStep } from './foreign.js';
import { Pool, World } from './pool.js';
import { seeded } from './random.js';

/** The order of things that keeps a base: each by itself, because where one of them fails another one hides it. */

const [sourceRoot, targetRoot] = ['fast/k', 'backup/k'];
const policy = wholePolicy;
const request = { sourceRoot, targetRoot, policy };

function pools() {
  const world = new World();
  const [source, target] = [new Pool(world, 'fast'), new Pool(world, 'backup')];
  for (const name of ['', '/a', '/b c']) source.create(`${sourceRoot}${name}`).written = 100;
  return { source, target };
}

const copyOf = (number: number) => ({
  destination: policy.destination,
  run: `copy-2026-11-20T03:0${number}:00Z`,
  parallel: 2,
});

/** Looks at the source whenever the first byte of some streams is about to be sent. */
class AheadEnds extends ModelEnds {
  seen = 0;

  constructor(
    private readonly pool: Pool,
    target: Pool,
    private readonly run: string,
    watch: ModelWatch,
  ) {
    super(pool, sourceRoot, target, targetRoot, watch);
  }

  override transfer(streams: readonly Stream[]) {
    const last = new Map(streams.map((stream) => [stream.target, stream]));
    for (const { source, toGuid } of last.values()) {
      // Renamed or destroyed by somebody meanwhile: its stream will fail.
      const dataset = this.pool.datasets.get(source);
      const snapshot = dataset?.snapshots.find(({ guid }) => guid === toGuid);
      if (!dataset || !snapshot) continue;
      this.seen += 1;
      const when = `before ${source}@${snapshot.name} is sent`;
      const cursors = dataset.bookmarks.map(({ name, guid }) => `${name} ${guid}`);
      assert(
        cursors.includes(`${cursorName(policy.destination, toGuid)} ${toGuid}`),
        `${when}: no cursor stands`,
      );
      assert(snapshot.holds.has(holdTag(policy.destination, this.run)), `${when}: it is not held`);
    }
    return super.transfer(streams);
  }
}

test('before the first byte of any stream its cursor and its hold stand, in every season', async () => {
  let seen = 0;
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = seeded(seed);
    const { source, target } = pools();
    for (let number = 1; number < 7; number += 1) {
      tryStep(() => snapshotTree(source, sourceRoot, `hourly-2026-11-20T03:0${number}:00Z`));
      const ends = new AheadEnds(source, target, copyOf(number).run, {
        between(what) {
          if (random.chance(1, 8))
            tryStep(() => sourceStep(source, sourceRoot, random, 'hourly-2026-11-20T03:00:00Z'));
          if (random.chance(1, 60)) throw new Crash(what);
        },
        cut: () => (random.chance(1, 6) ? random.below(10) / 10 : undefined),
        pick: (limit) => random.below(limit),
      });
      await replicate(ends, request, copyOf(number)).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
      });
      seen += ends.seen;
    }
  }
  assert(seen > 500, `only ${seen} streams were looked at`);
});

test('a replica that is rolled back right before its fence stands keeps its older base on the source', async () => {
  const { source, target } = pools();
  const all = (name: string): void => {
    for (const { name: dataset } of source.below(sourceRoot)) {
      source.dataset(dataset).written = 10;
      source.takeSnapshot(`${dataset}@${name}`);
    }
  };
  all('one');
  await replicate(new ModelEnds(source, sourceRoot, target, targetRoot), request, copyOf(1));
  all('two');
  // Retention has removed what only the copy still needed: its cursor is all that is left of the base.
  for (const { name } of source.below(sourceRoot)) source.destroySnapshot(`${name}@one`);
  const replica = `${targetRoot}/a`;
  let rolledBack = false;
  const watch: ModelWatch = {
    ...calm,
    between(what) {
      if (rolledBack || what !== `before hold ${fenceTag} ${replica}@two`) return;
      rolledBack = true;
      target.rollback(`${replica}@one`);
    },
  };
  const ends = new ModelEnds(source, sourceRoot, target, targetRoot, watch);
  await replicate(ends, request, copyOf(2));
  assert(rolledBack);
  all('three');
  const { last } = await replicate(new ModelEnds(source, sourceRoot, target, targetRoot), request, copyOf(3));
  assert.deepEqual([...new Set(last.plans.map(({ kind }) => kind))], ['nothing']);
  assert.deepEqual(
    target.dataset(replica).snapshots.map(({ name }) => name),
    ['one', 'two', 'three'],
  );
});
