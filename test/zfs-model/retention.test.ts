import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learnBrought } from '../../activities/zfs/brought.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import { survey } from '../../activities/zfs/replicate-survey.js';
import type { ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import { judgeSnapshots, type KeepRules, type Verdict } from '../../activities/zfs/retention.js';
import { holderOf } from '../../activities/zfs/retention-lagging.js';
import { judgeReplicas } from '../../activities/zfs/retention-replica.js';
import { relieve } from '../../activities/zfs/retention-room.js';
import { sendingBy } from '../../activities/zfs/retention-transfers.js';
import { isLeftBehind, isNameTaken, isPromotedOver, knownGuids } from './clones.js';
import { execute } from './commands.js';
import { Crash, listing, ModelEnds, type ModelWatch } from './ends.js';
import { snapshotTree, sourceStep, targetStep, tryStep } from './foreign.js';
import { Pool, World, ZfsError } from './pool.js';
import { type Random, seeded } from './random.js';

/** Two pools, and a replication with retention on its target: what no season of crashes and strangers may lose. */

const [sourceRoot, targetRoot] = ['fast/k', 'backup/k'];

class Estate {
  readonly world = new World();
  readonly source = new Pool(this.world, 'fast');
  readonly target = new Pool(this.world, 'backup');
  /** What was ever on the source, whoever has removed it since. */
  readonly everOnSource = new Set<string>();
  removed = 0;

  constructor(
    private readonly random: Random,
    private readonly policy: ReplicationPolicy,
    private readonly harmful: boolean,
  ) {
    for (const name of [sourceRoot, `${sourceRoot}/a b`, `${sourceRoot}/vol`]) this.source.create(name);
  }

  private note(): void {
    for (const { snapshots } of this.source.datasets.values())
      for (const { guid } of snapshots) this.everOnSource.add(guid);
  }

  /** On the source the newest that the replica has is still known, as a snapshot or a bookmark. */
  private assertBases(when: string): void {
    const bySource = new Map([...this.source.datasets.values()].map((dataset) => [dataset.guid, dataset]));
    for (const replica of this.target.below(targetRoot)) {
      const origin = bySource.get(replica.properties.get('holdfast:replica-of') ?? '');
      const newest = replica.snapshots.filter(({ name }) => !name.startsWith('auto-there-')).at(-1);
      if (!origin || !newest) continue;
      if (isLeftBehind(origin, replica, this.target, { sourceRoot, targetRoot })) continue;
      assert(
        knownGuids(this.source, origin).includes(newest.guid),
        `${when}: the base of ${replica.name} is lost`,
      );
    }
  }

  watch(stormy: boolean): ModelWatch {
    const { random } = this;
    return {
      between: (what) => {
        if (stormy && random.chance(1, 8))
          tryStep(() => sourceStep(this.source, sourceRoot, random, 'hourly-2026-11-20T03:00:00Z'));
        if (stormy && random.chance(1, 10))
          tryStep(() => targetStep(this.target, targetRoot, random, this.harmful));
        this.note();
        if (!this.harmful) this.assertBases(what);
        if (stormy && random.chance(1, 60)) throw new Crash(what);
      },
      cut: () => (stormy && random.chance(1, 10) ? random.below(10) / 10 : undefined),
      pick: (limit) => random.below(limit),
    };
  }

  /** In calm weather everything arrives again, from snapshots or from bookmarks. */
  assertCurrent(when: string): void {
    for (const dataset of this.source.below(sourceRoot)) {
      const { guid, name, snapshots } = dataset;
      const replicas = [...this.target.datasets.values()].filter(
        (one) =>
          one.properties.get('holdfast:replica-of') === guid &&
          !isPromotedOver(this.source, dataset, one) &&
          !isNameTaken(dataset, one),
      );
      const newest = snapshots.filter(({ run }) => run !== undefined).at(-1);
      const there = replicas.flatMap((replica) => replica.snapshots.map((one) => one.guid));
      // One that was made anew under an old name stops at the replica of the other.
      if (newest && replicas.length > 0)
        assert(there.includes(newest.guid), `${when}: ${name}@${newest.name} did not arrive`);
    }
  }

  /** One run: streams, then retention with what was written down so far. */
  async run(known: Set<string>, keep: KeepRules, stormy: boolean): Promise<Set<string>> {
    const watch = this.watch(stormy);
    const ends = new ModelEnds(this.source, sourceRoot, this.target, targetRoot, watch);
    const request = { sourceRoot, targetRoot, policy: this.policy };
    let brought = known;
    try {
      const run = 'replica-2026-11-20T03:00:00Z';
      const { last } = await replicate(ends, request, { destination: 'grogu', run, parallel: 2 });
      brought = learnBrought(known, last.plans, last.input);
      const seen = await survey(ends, request);
      const rules = { keep, nowS: 0, rpoS: undefined, timezone: 'UTC' };
      const verdicts = judgeReplicas(seen, learnBrought(brought, seen.plans, seen.input), rules);
      const gone = new Set(seen.plans.filter(({ kind }) => kind === 'gone').map(({ target }) => target));
      for (const verdict of verdicts.flat()) this.carryOut(verdict, gone, watch);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    return brought;
  }

  /** As the channel program does it: the very snapshot that was judged, and only while nobody holds it. */
  private carryOut({ dataset, snapshot, reasons }: Verdict, gone: Set<string>, watch: ModelWatch): void {
    if (reasons.length > 0) return;
    watch.between(`before the end of ${dataset}@${snapshot.name}`);
    const there = this.target.datasets.get(dataset)?.snapshots.find(({ name }) => name === snapshot.name);
    if (there?.guid !== snapshot.guid) return;
    assert(this.everOnSource.has(snapshot.guid), `${dataset}@${snapshot.name} was not brought by us`);
    assert(!gone.has(dataset), `${dataset} has no source any more`);
    try {
      this.target.destroySnapshot(`${dataset}@${snapshot.name}`);
      this.removed += 1;
    } catch (error) {
      if (!(error instanceof ZfsError)) throw error;
    }
  }
}

/** The job of snapshots on a pool that is below its floor: bookmarks take the place of what only copies that lag need. */
async function relieveSource(
  { source }: Pick<Estate, 'source'>,
  { keep, isOver, watch }: { keep: number; isOver: boolean; watch: ModelWatch },
): Promise<number> {
  const seen = listing(source, sourceRoot);
  const rules = { job: 'hourly', keep: { last: keep }, nowS: 0, timezone: 'UTC' };
  const judged = [...seen.values()].map((dataset) => ({ dataset, verdicts: judgeSnapshots(dataset, rules) }));
  const full = { pool: 'fast', sizeBytes: 100, freeBytes: 1, floor: 0.02, lagging: 0.1 };
  const tags = new Map(
    [...source.datasets.values()].flatMap(({ name, snapshots }) =>
      snapshots.map((one) => [`${name}@${one.name}`, [...one.holds]] as const),
    ),
  );
  const runs = [...tags.values()].flat().flatMap((tag) => holderOf(tag)?.run ?? []);
  const { verdicts, releases } = relieve([full], judged, tags, sendingBy(tags, isOver ? runs : []));
  assert(isOver || releases.length === 0, 'what may be on its way is let go');
  const change = (what: string, body: () => void): void => {
    watch.between(`before ${what}`);
    tryStep(body);
  };
  for (const { tag, snapshot, bookmark } of releases) {
    change(`bookmark ${snapshot}`, () => execute(source, ['bookmark', snapshot, bookmark]));
    change(`release ${snapshot}`, () => execute(source, ['release', tag, snapshot]));
  }
  let removed = 0;
  for (const { dataset, snapshot, reasons } of verdicts.flat())
    if (reasons.length === 0)
      change(`the end of ${dataset}@${snapshot.name}`, () => {
        if (source.snapshot(`${dataset}@${snapshot.name}`).snapshot.guid !== snapshot.guid) return;
        source.destroySnapshot(`${dataset}@${snapshot.name}`);
        removed += 1;
      });
  return removed;
}

const seeds = Array.from({ length: 60 }, (_, index) => index + 1);

function plans(random: Random): { policy: ReplicationPolicy; keep: number } {
  const keep = 1 + random.below(4);
  const policy: ReplicationPolicy = {
    destination: 'grogu',
    snapshots: random.chance(1, 2) ? 'ours' : 'all',
    catchUp: 'every',
    encrypted: 'raw',
    excludes: () => false,
    ...(random.chance(1, 2) && { keep: { last: keep } }),
  };
  return { policy, keep };
}

async function season(
  seed: number,
  harmful: boolean,
): Promise<{ estate: Estate; keep: number; known: Set<string> }> {
  const random = seeded(seed);
  const { policy, keep } = plans(random);
  const estate = new Estate(random, policy, harmful);
  let known = new Set<string>();
  for (let number = 0; number < 8; number += 1) {
    for (let more = 0; more <= random.below(3); more += 1)
      tryStep(() => snapshotTree(estate.source, sourceRoot, `hourly-2026-11-20T03:0${number}:00Z`));
    known = await estate.run(known, { last: keep }, true);
  }
  tryStep(() => snapshotTree(estate.source, sourceRoot, 'hourly-2026-11-20T09:00:00Z'));
  for (let calm = 0; calm < 3; calm += 1) known = await estate.run(known, { last: keep }, false);
  return { estate, keep, known };
}

test('with retention on the target no base is lost, and what is left is what the rules keep', async () => {
  let removed = 0;
  for (const seed of seeds) {
    const { estate, keep, known } = await season(seed, false);
    removed += estate.removed;
    for (const dataset of estate.source.below(sourceRoot)) {
      const { guid, name } = dataset;
      // Where a new dataset has taken its old name, its old replica is stopped and stays whole, and it has a second one.
      const replica = estate.target.datasets.get(`${targetRoot}${name.slice(sourceRoot.length)}`);
      if (replica?.properties.get('holdfast:replica-of') !== guid) continue;
      if (isPromotedOver(estate.source, dataset, replica) || isNameTaken(dataset, replica)) continue;
      const ours = replica.snapshots.filter(
        // One that arrived and vanished on the source before anybody could write it down stays for ever.
        (one) => known.has(one.guid) && one.holds.size === 0,
      );
      assert(ours.length < keep, `seed ${seed}: ${name} has ${ours.length} besides the fenced one`);
    }
  }
  assert(removed > 200, `only ${removed} were ever removed: the test tests nothing`);
});

test('where others roll back, destroy and rename replicas, still only what we brought is ever removed', async () => {
  for (const seed of seeds) await season(seed, true);
});

test('a source that is short of room lets go of what copies that lag need, and no base is ever lost by it', async () => {
  let removed = 0;
  for (const seed of seeds) {
    const random = seeded(seed);
    const { policy, keep } = plans(random);
    const estate = new Estate(random, policy, false);
    let known = new Set<string>();
    for (let number = 0; number < 8; number += 1) {
      for (let more = 0; more <= random.below(3); more += 1)
        tryStep(() => snapshotTree(estate.source, sourceRoot, `hourly-2026-11-20T03:0${number}:00Z`));
      known = await estate.run(known, { last: 3 }, true);
      try {
        removed += await relieveSource(estate, {
          keep,
          isOver: random.chance(2, 3),
          watch: estate.watch(true),
        });
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
    }
    tryStep(() => snapshotTree(estate.source, sourceRoot, 'hourly-2026-11-20T09:00:00Z'));
    for (let calm = 0; calm < 3; calm += 1) known = await estate.run(known, { last: 3 }, false);
    estate.assertCurrent(`seed ${seed}`);
  }
  assert(removed > 200, `only ${removed} were ever removed: the test tests nothing`);
});
