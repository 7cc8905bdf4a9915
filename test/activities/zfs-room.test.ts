import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isBelowFloor, pressureOf, type Room } from '../../activities/zfs/pool-room.js';
import { judgeSnapshots } from '../../activities/zfs/retention.js';
import { judgePlan, keepWhileLate } from '../../activities/zfs/retention-guard.js';
import { type JudgedDataset, relieve } from '../../activities/zfs/retention-room.js';
import { sendingBy, type UnderWay } from '../../activities/zfs/retention-transfers.js';
import type { Bookmark, Snapshot } from '../../activities/zfs/types.js';
import { bookmark, dataset, snapshot } from '../support/zfs-trees.js';

const gib = 2 ** 30;

const room = (freePercent: number, more: Partial<Room> = {}): Room => ({
  pool: 'fast',
  sizeBytes: 1000 * gib,
  freeBytes: freePercent * 10 * gib,
  floor: 0.02,
  lagging: 0.1,
  ...more,
});

const [run, sending] = ['hourly-2026-11-01T00:00:00Z', 'copy-2026-11-20T03:00:00Z'];

/** Ten of the job, of which its rules keep the last two. */
function judged(bookmarks: Bookmark[], holds: Record<string, number> = {}, usedBytes = gib): JudgedDataset[] {
  const snapshots: Snapshot[] = Array.from({ length: 10 }, (_, at) =>
    snapshot(`s${at}`, at + 10, { job: 'hourly', run, usedBytes, holds: holds[`s${at}`] ?? 0 }),
  );
  const tree = dataset('fast/db', { bookmarks }, snapshots);
  const rules = { job: 'hourly', keep: { last: 2 }, nowS: 2e9, timezone: 'UTC' };
  return [{ dataset: tree, verdicts: judgeSnapshots(tree, rules) }];
}

const cursor = (at: number, destination = 'grogu.db'): Bookmark =>
  bookmark(`holdfast_${destination}_${1_000_010 + at}`, 10 + at, String(1_000_010 + at));

const still: UnderWay = () => undefined;

const keptBy = (
  rooms: Room[],
  trees: JudgedDataset[],
  tags: Record<string, string[]> = {},
  underWay = still,
): string[] =>
  relieve(rooms, trees, new Map(Object.entries(tags)), underWay)
    .verdicts.flat()
    .filter(({ reasons }) => reasons.length > 0)
    .map((verdict) => verdict.snapshot.name);

describe('how a pool is judged', () => {
  test('by what is free against its floor, and by what copies that lag keep', () => {
    assert.deepEqual(
      [5, 3.9, 2, 1.9].map((free) => pressureOf(room(free), 0)),
      ['none', 'near', 'near', 'short'],
    );
    assert.deepEqual(
      [79, 81, 101].map((used) => pressureOf(room(50), used * gib)),
      ['none', 'near', 'short'],
    );
    assert.equal(isBelowFloor(room(2.9, { floor: 0.03 })), true);
    assert.equal(pressureOf(room(0, { floor: 0 }), 0), 'none');
  });
});

describe('where a pool runs short', () => {
  test('a bookmark takes the place of a base, and the newest stays', () => {
    assert.deepEqual(keptBy([room(50)], judged([cursor(2)])), ['s2', 's7', 's8', 's9']);
    assert.deepEqual(keptBy([room(3)], judged([cursor(2)])), ['s2', 's7', 's8', 's9']);
    assert.deepEqual(keptBy([room(1)], judged([cursor(2)])), ['s8', 's9']);
  });

  test('below the floor it does not wait for a newer snapshot, which the floor itself forbids; all else waits', () => {
    const late = { nowS: 2e9, rpoS: 3600 };
    const going = (free: number) => {
      const trees = judged([cursor(2)]);
      const { byDataset, ...more } = keepWhileLate(relieve([room(free)], trees, new Map(), still), late);
      const goes = byDataset.flat().filter(({ reasons }) => reasons.length === 0);
      return [
        goes.map(({ snapshot: { name } }) => name).join(' '),
        judgePlan(byDataset, more).refused,
      ] as const;
    };
    assert.deepEqual(going(1), ['s2 s7', undefined]);
    const [, refused] = going(50);
    assert.match(refused ?? '', /older than the objective/);
  });

  test('it says who keeps how much, and since when', () => {
    const { warnings } = relieve([room(3)], judged([cursor(2), cursor(1, 'usb.db')]), new Map(), still);
    assert.match(
      warnings.join(),
      /^3 % of fast is free, its floor is 2 %; kept for copies that lag: \S+ 2 snapshots, 2\.0 GiB, the oldest of 2026-11-18; /,
    );
    assert.match(warnings.join(), /usb\.db 2 snapshots/);
  });

  test('only the pool that is short gives', () => {
    const other = judged([cursor(2)]).map(({ dataset: tree, verdicts }) => ({
      dataset: { ...tree, name: 'bulk/db' },
      verdicts: verdicts.map((verdict) => ({ ...verdict, dataset: 'bulk/db' })),
    }));
    const rooms = [room(1), room(40, { pool: 'bulk' })];
    const { verdicts } = relieve(rooms, [...judged([cursor(2)]), ...other], new Map(), still);
    assert.deepEqual(
      verdicts.map((one) => one.filter(({ reasons }) => reasons.length > 0).length),
      [2, 4],
    );
  });

  test('beyond the budget of copies it gives as well, however much is free', () => {
    assert.deepEqual(keptBy([room(50)], judged([cursor(2)], {}, 60 * gib)), ['s8', 's9']);
  });

  test('a hold of a stream that never ended is let go where an older cursor is left', () => {
    const tag = `holdfast_grogu.db_${sending}`;
    const trees = judged([cursor(2)], { s4: 1 });
    const relief = relieve([room(1)], trees, new Map([['fast/db@s4', [tag]]]), still);
    assert.deepEqual(relief.releases, [
      { tag, snapshot: 'fast/db@s4', bookmark: 'fast/db#holdfast_grogu.db_1000014' },
    ]);
    assert.deepEqual(keptBy([room(1)], trees, { 'fast/db@s4': [tag] }), ['s8', 's9']);
  });

  test('what a run may be sending stays, its base with it, whatever holds it: only for the copy that it sends to', () => {
    const tag = `holdfast_grogu.db_${sending}`;
    // The newest is kept by a rule and held as well: by it the transfer is recognised.
    const trees = judged([cursor(2), cursor(3, 'usb.db')], { s4: 1, s9: 1 });
    const tags = { 'fast/db@s4': [tag], 'fast/db@s9': [tag] };
    const byRun = (ended: string[]) => sendingBy(new Map(Object.entries(tags)), ended);
    assert.deepEqual(keptBy([room(1)], trees, tags, byRun([])), ['s2', 's4', 's7', 's8', 's9']);
    assert.deepEqual(keptBy([room(1)], trees, tags, byRun(['other-2026-11-20T03:00:00Z'])).length, 5);
    assert.deepEqual(keptBy([room(1)], trees, tags, byRun([sending])), ['s8', 's9']);
    const relief = relieve([room(1)], trees, new Map(Object.entries(tags)), byRun([]));
    assert.deepEqual([relief.releases, relief.holdingRuns], [[], [sending]]);
    assert.match(
      relief.warnings.join(),
      new RegExp(`; what is being transferred stays: ${sending} may be sending$`),
    );
    const half: UnderWay = (tree, to) =>
      tree === 'fast/db' && to === 'grogu.db' ? { words: 'half of it has arrived' } : undefined;
    const halfway = relieve([room(1)], trees, new Map(Object.entries(tags)), half);
    assert.deepEqual([halfway.releases, halfway.holdingRuns], [[], []]);
  });

  test('a base whose bookmark has no room in the name of its dataset stays held', () => {
    const tag = `holdfast_grogu.db_${sending}`;
    const long = `fast/${'x'.repeat(230)}`;
    const trees = judged([cursor(2)], { s4: 1 }).map(({ dataset: tree, verdicts }) => ({
      dataset: { ...tree, name: long },
      verdicts: verdicts.map((verdict) => ({ ...verdict, dataset: long })),
    }));
    assert(keptBy([room(1)], trees, { [`${long}@s4`]: [tag] }).includes('s4'));
  });

  test('the first copy, holds of others, a fence and what nobody knows the holder of stay', () => {
    const first = [cursor(4)];
    const own = `holdfast_grogu.db_${sending}`;
    const cases: [Bookmark[], string[] | undefined][] = [
      [first, [own]],
      [[cursor(2, 'usb.db')], [own]],
      [[cursor(2)], ['keep me']],
      [[cursor(2)], [own, 'keep me']],
      [[cursor(2)], ['holdfast_fence']],
      [[cursor(2)], [`holdfast:${sending}`]],
      [[cursor(2)], undefined],
    ];
    for (const [bookmarks, tags] of cases) {
      const trees = judged(bookmarks, { s4: 1 });
      const kept = keptBy([room(1)], trees, tags ? { 'fast/db@s4': tags } : {});
      assert(kept.includes('s4'), JSON.stringify(tags));
    }
  });

  test('what a rule keeps stays', () => {
    assert.deepEqual(keptBy([room(0)], judged([cursor(8)])), ['s8', 's9']);
  });
});
