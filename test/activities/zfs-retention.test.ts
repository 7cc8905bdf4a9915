import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { luaGuid } from '../../activities/zfs/destroy-command.js';
import { judgeSnapshots, type KeepRules, type Verdict } from '../../activities/zfs/retention.js';
import { judgePlan } from '../../activities/zfs/retention-guard.js';
import type { Dataset, Snapshot } from '../../activities/zfs/types.js';
import { bookmark, dataset, snapshot } from '../support/zfs-trees.js';

const start = Date.UTC(2026, 10, 1) / 1000;
const hour = 3600;

/** One of job "hourly" for each of so many hours. */
const hours = (count: number, everyHours = 1): Snapshot[] =>
  Array.from({ length: count }, (_, at) => {
    const creationS = start + at * everyHours * hour;
    const time = new Date(creationS * 1000).toISOString().slice(0, 19);
    return snapshot(`s${at}`, at + 10, { creationS, job: 'hourly', run: `hourly-${time}Z` });
  });

const judge = (tree: Dataset, keep: KeepRules, nowS = start + 1000 * hour): Verdict[] =>
  judgeSnapshots(tree, { job: 'hourly', keep, nowS, timezone: 'Europe/Berlin' });

const kept = (verdicts: readonly Verdict[]): string[] =>
  verdicts.filter(({ reasons }) => reasons.length > 0).map((verdict) => verdict.snapshot.name);

const reasonsOf = (verdicts: readonly Verdict[], name: string): string[] =>
  verdicts.find((verdict) => verdict.snapshot.name === name)?.reasons ?? [];

describe('which snapshots stay', () => {
  test('the newest of each of so many hours, each with its reason', () => {
    const verdicts = judge(dataset('fast', {}, hours(30)), { hourly: 24 });
    assert.deepEqual(
      kept(verdicts),
      hours(30)
        .slice(6)
        .map(({ name }) => name),
    );
    assert.deepEqual(reasonsOf(verdicts, 's29'), ['hourly', 'newest']);
    assert.deepEqual(reasonsOf(verdicts, 's5'), []);
  });

  test('a time without snapshots uses nothing up', () => {
    const early = hours(10);
    const late = hours(5).map((one, at) => ({
      ...one,
      name: `l${at}`,
      createtxg: 500 + at,
      creationS: one.creationS + 700 * hour,
    }));
    assert.equal(kept(judge(dataset('fast', {}, [...early, ...late]), { hourly: 24 })).length, 15);
  });

  test('days begin at midnight of the schedule', () => {
    // 22:30 UTC and 23:30 UTC are two days in Berlin, and one in London.
    const evening = [22.5, 23.5].map((at, index) =>
      snapshot(`e${index}`, index + 10, {
        creationS: start + at * hour,
        job: 'hourly',
        run: 'hourly-2026-11-01T00:00:00Z',
      }),
    );
    assert.deepEqual(kept(judge(dataset('fast', {}, evening), { daily: 9 })), ['e0', 'e1']);
    const london = judgeSnapshots(dataset('fast', {}, evening), {
      job: 'hourly',
      keep: { daily: 9 },
      nowS: start,
      timezone: 'UTC',
    });
    assert.deepEqual(kept(london), ['e1']);
  });

  test('weeks, months and years each keep their last', () => {
    const verdicts = judge(dataset('fast', {}, hours(60, 24)), { weekly: 2, monthly: 2, yearly: 1 });
    const days = kept(verdicts).map((name) => Number(name.slice(1)));
    // 1 November 2026 is a Sunday, so that weeks end with days 0, 7, 14 …; November ends with day 29.
    assert.deepEqual(days, [29, 56, 59]);
  });

  test('what is younger than "within" stays, and the newest stays whatever its age', () => {
    const nowS = start + 30 * hour;
    assert.equal(kept(judge(dataset('fast', {}, hours(30)), { within: 4 * hour * 1000 }, nowS)).length, 5);
    assert.deepEqual(kept(judge(dataset('fast', {}, hours(30)), { within: 60_000 }, nowS + 9e6)), ['s29']);
  });

  test('snapshots of others, and of other jobs, are no candidates', () => {
    const foreign = [
      snapshot('auto-2026-11-01_00-00', 1),
      snapshot('other', 2, { job: 'daily', run: 'daily-2026-11-01T00:00:00Z' }),
      snapshot('half', 3, { job: 'hourly' }),
      snapshot('odd', 4, { job: 'hourly', run: 'hourly-old-2026-11-01T00:00:00Z' }),
    ];
    const verdicts = judge(dataset('fast', {}, [...foreign, ...hours(3)]), { last: 1 });
    assert.deepEqual(
      verdicts.map((verdict) => verdict.snapshot.name),
      ['s0', 's1', 's2'],
    );
  });

  test('a held one stays', () => {
    const snapshots = hours(5).map((one, at) => ({ ...one, holds: at === 1 ? 1 : 0 }));
    assert.deepEqual(kept(judge(dataset('fast', {}, snapshots), { last: 1 })), ['s1', 's4']);
  });

  test('what a destination has last received stays, and a few more while it is behind', () => {
    const snapshots = hours(10);
    const cursor = bookmark('holdfast_grogu_1000012', 12, '1000012');
    const verdicts = judge(dataset('fast', { bookmarks: [cursor] }, snapshots), { last: 1 });
    assert.deepEqual(kept(verdicts), ['s2', 's7', 's8', 's9']);
    assert.deepEqual(reasonsOf(verdicts, 's2'), ['base of grogu']);
    assert.deepEqual(reasonsOf(verdicts, 's7'), ['floor for grogu']);
  });

  test('each of several destinations keeps its own base, also while a transfer is under way', () => {
    const bookmarks = [
      bookmark('holdfast_usb_1000011', 11, '1000011'),
      bookmark('holdfast_grogu_1000014', 14, '1000014'),
      bookmark('holdfast_grogu_1000019', 19, '1000019'),
    ];
    const verdicts = judge(dataset('fast', { bookmarks }, hours(10)), { last: 1 });
    assert.deepEqual(kept(verdicts), ['s1', 's4', 's7', 's8', 's9']);
  });
});

describe('a plan as a whole', () => {
  const nowS = start + 100 * hour;
  const judged = (count: number, keep: KeepRules, more: { nowS?: number; rpoS?: number } = {}) =>
    judgePlan([judge(dataset('fast', {}, hours(count)), keep, more.nowS ?? nowS)], { nowS, ...more });

  test('one of 25 goes as every hour', () => {
    const { refused, unusual } = judged(25, { hourly: 24 });
    assert.equal(refused ?? unusual, undefined);
  });

  test('more than half is for a human to see', () => {
    assert.match(judged(100, { hourly: 24 }).unusual ?? '', /76 of the 100 snapshots of fast/);
    assert.equal(judged(4, { last: 1 }).unusual, undefined);
  });

  test("a worker's clock that is ahead of the pool's makes nothing old", () => {
    const later = start + 366 * 24 * hour;
    const within = { within: 48 * hour * 1000 };
    assert.equal(kept(judge(dataset('fast', {}, hours(48)), within, later)).length, 48);
  });

  test("a pool's clock that jumped a year forward makes it unusual", () => {
    const later = start + 366 * 24 * hour;
    const jumped = [
      ...hours(48),
      { ...(hours(1)[0] as Snapshot), name: 'jumped', createtxg: 900, creationS: later },
    ];
    const verdicts = judge(dataset('fast', {}, jumped), { within: 48 * hour * 1000 }, later);
    assert.match(judgePlan([verdicts], { nowS: later }).unusual ?? '', /48 of the 49/);
  });

  test('a clock that was put back removes nothing, whoever says yes', () => {
    assert.match(judged(30, { hourly: 24 }, { nowS: start }).refused ?? '', /a clock is wrong/);
  });

  test('while the newest snapshot is overdue nothing is removed', () => {
    assert.match(judged(30, { hourly: 24 }, { rpoS: 2 * hour }).refused ?? '', /older than the objective/);
  });

  test('the digest is of what would go, and of nothing else', () => {
    const digest = (count: number, keep: KeepRules) => judged(count, keep).digest;
    assert.equal(digest(30, { hourly: 24 }), digest(30, { last: 24 }));
    assert.notEqual(digest(30, { hourly: 24 }), digest(30, { hourly: 23 }));
  });
});

test('guids are handed to ZFS as its own Lua writes them', () => {
  assert.equal(luaGuid('18446744073709551557'), 'guid-59');
  assert.equal(luaGuid('7908652861060462704'), 'guid7908652861060462704');
});

/** The same numbers in every run: a failure can be looked at again. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

test('whatever the rules and the history: the newest, held ones, bases of copies and snapshots of others stay', () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const random = numbersFrom(seed);
    let creationS = start;
    const snapshots = Array.from({ length: random(60) }, (_, at) => {
      creationS += random(40 * hour);
      const own = random(4) > 0;
      return snapshot(`s${at}`, at + 10, {
        creationS,
        holds: random(8) === 0 ? 1 : 0,
        ...(own && { job: 'hourly', run: 'hourly-2026-11-01T00:00:00Z' }),
      });
    });
    const bookmarks = snapshots
      .filter(() => random(10) === 0)
      .map(({ guid, createtxg }, at) => bookmark(`holdfast_d${at % 2}_${guid}`, createtxg, guid));
    const rules = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'].filter(() => random(2) === 0);
    const keep = Object.fromEntries(rules.map((rule) => [rule, 1 + random(5)])) as KeepRules;
    const verdicts = judge(dataset('fast', { bookmarks }, snapshots), keep, creationS);
    const gone = verdicts.filter(({ reasons }) => reasons.length === 0).map((verdict) => verdict.snapshot);
    const own = snapshots.filter(({ job }) => job === 'hourly');
    const bases = new Set(bookmarks.map(({ guid }) => guid));
    assert.equal(verdicts.length, own.length, `seed ${seed}`);
    for (const one of gone) {
      assert.ok(
        one.job === 'hourly' && one.holds === 0 && !bases.has(one.guid) && one !== own.at(-1),
        `seed ${seed}`,
      );
    }
    for (const rule of ['last', 'hourly', 'daily'] as const) {
      const least = Math.min(keep[rule] ?? 0, own.length, rule === 'last' ? own.length : 1);
      assert.ok(own.length - gone.length >= least, `seed ${seed}: ${rule}`);
    }
    // What stays is judged as before: applying the same rules again removes nothing.
    const left = snapshots.filter((one) => !gone.includes(one));
    const again = judge(dataset('fast', { bookmarks }, left), keep, creationS);
    assert.ok(
      again.every(({ reasons }) => reasons.length > 0),
      `seed ${seed}: twice`,
    );
  }
});
