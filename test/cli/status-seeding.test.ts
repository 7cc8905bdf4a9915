import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PendingStep } from '../../cli/snapshot.js';
import { type OperationFacts, statusRow } from '../../cli/status-model.js';
import { type Seeding, seedingIn, seedingText } from '../../cli/status-seeding.js';
import type { RunRow } from '../../cli/visibility.js';
import type { Operation } from '../../config/lookup.js';
import type { Progress } from '../../contracts/jobs.js';

const now = new Date('2026-11-20T12:00:00Z');
const hour = 3_600_000;
const before = (hours: number): Date => new Date(now.getTime() - hours * hour);
const backup: Operation = { job: 'photos', operation: 'backup', main: true, name: 'photos' };
const TiB = 2 ** 40;

const good: RunRow = {
  run: 'photos-last-night',
  job: 'photos',
  operation: 'backup',
  state: 'warnings',
  startedAt: before(8),
  closedAt: before(8),
  restorePoint: before(8),
};
const seeding: Seeding = {
  store: 'b2',
  noProgressAfterMs: 12 * hour,
  run: 'photos.seed-b2-now',
  startedAt: before(300),
};
const judged = (upload: Partial<Seeding>, facts: Partial<OperationFacts> = {}) =>
  statusRow(
    { operation: backup, objectiveMs: 26 * hour, seeding: [{ ...seeding, ...upload }], ...facts },
    now,
  );

const progress = (more: Partial<Progress>): Progress => ({
  v: 1,
  phase: 'seeding, portion 5 of 160',
  bytesDone: 1.2 * TiB,
  bytesTotal: 5 * TiB,
  filesDone: 1,
  filesTotal: 2,
  bytesPerSecond: 3,
  secondsLeft: 15 * 24 * 3600 + 60,
  movedAt: before(0.05).toISOString(),
  ...more,
});
const pending = (activity: string, more: Partial<Progress>): PendingStep => ({
  id: '1',
  activity,
  state: 'started',
  attempt: 1,
  progress: progress(more),
});

describe('the status of a first upload', () => {
  test('is not overdue however old, while it moves', () => {
    const row = judged({ progressAt: before(11) });
    assert.deepEqual([row.overdue, row.level], [false, 'yellow']);
  });

  test('is overdue when nothing has moved for too long', () => {
    const row = judged({ progressAt: before(13) });
    assert.deepEqual([row.overdue, row.level], [true, 'red']);
    assert.equal(judged({}).overdue, true);
  });

  test('is overdue when no run goes on, also of a job that promises nothing', () => {
    const idle = { run: undefined, startedAt: undefined };
    assert.equal(judged(idle).overdue, true);
    assert.equal(judged({ ...idle, failedBefore: true }, { objectiveMs: undefined }).overdue, true);
  });

  test('a run that has just begun is given its time, but not after one that failed', () => {
    const begun = { startedAt: before(1) };
    assert.equal(judged(begun).overdue, false);
    assert.equal(judged({ ...begun, failedBefore: true }).overdue, true);
    assert.equal(judged({ ...begun, failedBefore: true, progressAt: before(0.5) }).overdue, false);
  });

  test('to one store says nothing of the others: their age counts as always', () => {
    const moving = { progressAt: before(1) };
    const young = judged(moving, { someGood: good, last: good });
    assert.deepEqual([young.overdue, young.level, young.ageMs], [false, 'yellow', 8 * hour]);
    const old = judged(moving, { someGood: { ...good, restorePoint: before(30) } });
    assert.deepEqual([old.overdue, old.level], [true, 'red']);
    const stuck = judged({ progressAt: before(13) }, { someGood: good });
    assert.deepEqual([stuck.overdue, stuck.level], [true, 'red']);
  });

  test('that stands still is overdue, however well another one moves', () => {
    const both = [
      { ...seeding, progressAt: before(1) },
      { ...seeding, store: 'usb', progressAt: before(13) },
    ];
    assert.equal(judged({}, { seeding: both }).overdue, true);
    assert.equal(judged({}, { seeding: both.slice(0, 1) }).overdue, false);
  });

  test('is told in words: how far, how long, and when it last moved', () => {
    const seen = seedingIn({ pending: [pending('resticSeed', { newBytes: 7 })] });
    assert.equal(
      seedingText({ ...seeding, ...seen }, now),
      'seeding 24 %, 1.2 TiB of 5 TiB, 15 d left, last progress 3 min ago',
    );
    assert.equal(seedingText({}, now), 'seeding');
  });

  test('reading again what was there is no progress', () => {
    const seen = seedingIn({ pending: [pending('resticSeed', { newBytes: 0 })] });
    assert.equal(seen.progressAt, undefined);
    assert.match(seedingText({ ...seeding, ...seen }, now), /no progress in this run yet$/);
  });

  test('a run that found nothing left to upload has not moved by that', () => {
    const done = { done: true, idle: true, portionsDone: 9, portions: 9, bytesDone: TiB, bytesTotal: TiB };
    const seen = seedingIn({ pending: [], report: { steps: [], seeding: done } });
    assert.equal(seen.progressAt, undefined);
    assert.equal(judged({ startedAt: before(1), failedBefore: true, ...seen }).overdue, true);
  });

  test('between two portions and during the closing copy tells the last portion that was finished', () => {
    const report = {
      steps: [],
      seeding: {
        done: false,
        portionsDone: 4,
        portions: 160,
        bytesDone: TiB,
        bytesTotal: 4 * TiB,
        at: before(5).toISOString(),
      },
    };
    const between = seedingIn({ pending: [], report });
    assert.deepEqual([between.bytesDone, between.progressAt], [TiB, before(5)]);
    const closing = seedingIn({ pending: [pending('resticBackup', {})], report });
    assert.deepEqual([closing.bytesDone, closing.progressAt], [TiB, before(0.05)]);
  });
});
