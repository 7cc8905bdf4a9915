import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collectRuns } from '../../cli/status-collect.js';
import { isGood, type OperationFacts, statusRow } from '../../cli/status-model.js';
import { type RunRow, stateOf } from '../../cli/visibility.js';
import type { Operation } from '../../config/lookup.js';

const now = new Date('2026-11-20T12:00:00Z');
const hour = 3_600_000;
const before = (hours: number): Date => new Date(now.getTime() - hours * hour);

const schedule = { cron: '30 3 * * *', timezone: 'UTC', jitterMs: 0, catchupMs: 0, overlap: 'skip' } as const;
const backup: Operation = { job: 'photos', operation: 'backup', main: true, name: 'photos', schedule };
const check: Operation = { job: 'photos', operation: 'check', main: false, name: 'photos.check', schedule };

const ran = (hoursAgo: number, facts: Partial<RunRow> = {}): RunRow => ({
  run: `photos-${hoursAgo}`,
  job: 'photos',
  operation: 'backup',
  state: 'ok',
  startedAt: before(hoursAgo),
  closedAt: before(hoursAgo),
  restorePoint: before(hoursAgo),
  ...facts,
});
const judged = (facts: Partial<OperationFacts>) =>
  statusRow(
    { operation: backup, schedule: { paused: false, note: '' }, objectiveMs: 26 * hour, ...facts },
    now,
  );

describe('the newest good copy against its objective', () => {
  test('is green well within it', () => {
    const row = judged({ newestGood: ran(7), last: ran(7) });
    assert.equal(row.level, 'green');
    assert.equal(row.overdue, false);
    assert.equal(row.ageMs, 7 * hour);
  });

  test('is yellow shortly before it is too old', () => {
    assert.equal(judged({ newestGood: ran(25), last: ran(25) }).level, 'yellow');
  });

  test('is red and overdue beyond it', () => {
    const row = judged({ newestGood: ran(27), last: ran(27) });
    assert.equal(row.level, 'red');
    assert.equal(row.overdue, true);
  });

  test('a host whose clock is a year ahead does not make an old copy look new', () => {
    const ahead = ran(50, { restorePoint: before(-8760) });
    assert.equal(judged({ newestGood: ahead, last: ahead }).level, 'red');
    const collected = collectRuns([backup]);
    for (const row of [ran(2), ahead]) collected.add(row);
    assert.equal(collected.of(backup).newestGood?.run, 'photos-2');
  });

  test('is red when there is none at all', () => {
    const row = judged({});
    assert.equal(row.level, 'red');
    assert.equal(row.overdue, true);
    assert.equal(row.goodRun, undefined);
  });

  test('is yellow when the last run did not end well, however young the copy', () => {
    assert.equal(judged({ newestGood: ran(7), last: ran(1, { state: 'failed' }) }).level, 'yellow');
    assert.equal(judged({ newestGood: ran(7), last: ran(7, { state: 'warnings' }) }).level, 'yellow');
  });

  test('is not made yellow by a sync that was not due: so little has changed that nothing was to be done', () => {
    const sync: Operation = { job: 'media', operation: 'sync', main: true, name: 'media', schedule };
    const synced = ran(7, { operation: 'sync' });
    const { restorePoint: _, ...notDue } = ran(1, { operation: 'sync' });
    const level = (last: RunRow) => judged({ operation: sync, newestGood: synced, last }).level;
    assert.equal(level(notDue), 'green');
    assert.equal(level({ ...notDue, state: 'warnings' }), 'yellow');
    assert.equal(level({ ...notDue, state: 'done' }), 'yellow');
    const { restorePoint: __, ...empty } = ran(1);
    assert.equal(judged({ newestGood: ran(7), last: empty }).level, 'yellow', 'a backup without a copy');
  });

  test('is measured from the moment that it holds and not from the end of the run', () => {
    const long = ran(1, { restorePoint: before(30) });
    assert.equal(judged({ newestGood: long, last: long }).level, 'red');
  });

  test('is no alarm while nothing of the job can be done, and is one as ever when the rest of it is late', () => {
    const words = ['grogu is away until 2026-12-24: waits for its switch'];
    const skipped = ran(1, { state: 'skipped' });
    delete skipped.restorePoint;
    const gone = judged({ last: skipped, away: { words, nothingLeft: true } });
    assert.deepEqual([gone.level, gone.overdue, gone.away], ['none', false, words]);
    const rest = judged({ newestGood: ran(27), last: ran(27), away: { words, nothingLeft: false } });
    assert.deepEqual([rest.level, rest.overdue, rest.away], ['red', true, words]);
    const after = judged({ last: skipped });
    assert.deepEqual([after.level, after.overdue], ['red', true]);
  });

  test('is not a run that was skipped', () => {
    assert.equal(isGood(ran(1, { state: 'skipped' })), false);
    assert.equal(isGood(ran(1, { state: 'skipped', operation: 'prune' })), false);
    assert.equal(stateOf('COMPLETED', 'skipped'), 'skipped');
  });

  test('is judged by nothing when nothing is promised', () => {
    const row = judged({ objectiveMs: undefined });
    assert.equal(row.level, 'none');
    assert.equal(row.overdue, false);
  });

  test('of a check counts from the end of the newest clean one', () => {
    const good = ran(2, { operation: 'check', restorePoint: undefined });
    assert.equal(judged({ operation: check, newestGood: good }).goodAt?.getTime(), before(2).getTime());
  });
});

describe('a run is good', () => {
  test('only when it ended with ok or warnings and has a restore point', () => {
    assert.equal(isGood(ran(1)), true);
    assert.equal(isGood(ran(1, { state: 'warnings' })), true);
    assert.equal(isGood(ran(1, { restorePoint: undefined })), false);
    for (const state of [
      'failed',
      'refused',
      'cancelled',
      'terminated',
      'timed out',
      'done',
      'running',
    ] as const)
      assert.equal(isGood(ran(1, { state })), false, state);
  });

  test('as a check only when it was clean', () => {
    assert.equal(isGood(ran(1, { operation: 'check', state: 'warnings' })), false);
    assert.equal(isGood(ran(1, { operation: 'check' })), true);
  });

  test('never when it goes on still', () => {
    assert.equal(isGood(ran(1, { closedAt: undefined })), false);
  });
});

describe('the state of a run', () => {
  test('is never ok when Temporal says that it failed, whatever it had written before', () => {
    for (const status of ['FAILED', 'TERMINATED', 'TIMED_OUT', 'CANCELLED', 'RUNNING', 'UNKNOWN'])
      assert.notEqual(stateOf(status, 'ok'), 'ok', status);
  });

  test('of a completed run is its outcome, and "done" when it wrote none', () => {
    assert.equal(stateOf('COMPLETED', 'warnings'), 'warnings');
    assert.equal(stateOf('COMPLETED', undefined), 'done');
    assert.equal(stateOf('COMPLETED', 'splendid'), 'done');
  });

  test('tells a refusal from a failure', () => {
    assert.equal(stateOf('FAILED', 'refused'), 'refused');
    assert.equal(stateOf('FAILED', undefined), 'failed');
  });
});

describe('schedules', () => {
  test('that Temporal does not have are "not applied", or "by hand" when the file has none either', () => {
    assert.equal(judged({ schedule: undefined }).schedule, 'not applied');
    const byHand = { ...backup, schedule: undefined };
    assert.equal(judged({ operation: byHand, schedule: undefined }).schedule, 'by hand');
  });

  test('that are paused have a note and no next run', () => {
    const row = judged({ schedule: { paused: true, note: 'disk is being replaced', next: before(-3) } });
    assert.equal(row.schedule, 'paused');
    assert.equal(row.note, 'disk is being replaced');
    assert.equal(row.next, undefined);
  });
});

const ageOf = (row: RunRow | undefined): number =>
  row ? Math.round((now.getTime() - (row.restorePoint?.getTime() ?? 0)) / 3_600_000) : Number.NaN;

describe('collecting runs from the list', () => {
  test('keeps the last one and the one with the newest state for each operation', () => {
    const collected = collectRuns([backup, check]);
    collected.add(ran(1, { state: 'failed' }));
    // Ended first, but holds an older state: it began before the next one and took longer.
    collected.add(ran(2, { restorePoint: before(20) }));
    assert.equal(collected.complete(), false);
    collected.add(ran(3, { restorePoint: before(4) }));
    collected.add(ran(5, { operation: 'check', restorePoint: undefined }));
    collected.add(ran(5, { job: 'other' }));
    assert.equal(collected.complete(), true);
    assert.equal(collected.of(backup).last?.run, 'photos-1');
    assert.equal(collected.of(backup).newestGood?.run, 'photos-3');
    assert.equal(collected.of(check).newestGood?.run, 'photos-5');
  });

  test('does not take a run from before a store or a resource was added for a good one', () => {
    const wanted = { ...backup, covers: 'photos>b2 photos>usb' };
    const collected = collectRuns([wanted]);
    collected.add(ran(1, { covers: 'photos>b2' }));
    assert.equal(collected.of(backup).newestGood, undefined);
    assert.equal(collected.of(backup).last?.run, 'photos-1');
    collected.add(ran(2, { covers: 'photos>b2 photos>usb videos>b2 videos>usb' }));
    assert.equal(collected.of(backup).newestGood?.run, 'photos-2');
  });

  test('puts the parts of what is wanted together, and is as old as the oldest', () => {
    const wanted = { ...backup, covers: 'photos>b2@1 photos>usb@1' };
    const collected = collectRuns([wanted]);
    collected.add(ran(1, { covers: 'photos>usb@1' }));
    assert.equal(collected.of(backup).newestGood, undefined);
    assert.equal(collected.of(backup).someGood?.run, 'photos-1');
    assert.deepEqual(collected.of(backup).uncovered, ['photos>b2@1']);
    assert.equal(collected.complete(), false);
    collected.add(ran(9, { covers: 'photos>b2@2' }));
    assert.equal(collected.complete(), false, 'another place under the same name');
    collected.add(ran(10, { covers: 'photos>b2@1' }));
    assert.equal(collected.complete(), true);
    assert.equal(collected.of(backup).newestGood?.run, 'photos-10');
  });

  test('takes each part of a first upload for as old as it says itself', () => {
    const wanted = { ...backup, covers: 'papers>b2@1 photos>b2@2' };
    const collected = collectRuns([wanted]);
    const minutes = (hours: number) => Math.floor(before(hours).getTime() / 60_000).toString(36);
    // Uploaded one after the other; the run as a whole is as old as its oldest copy.
    const covers = `papers>b2@1!${minutes(300)} photos>b2@2!${minutes(1)}`;
    collected.add(ran(1, { run: 'photos.seed-b2-x', covers, restorePoint: before(300) }));
    assert.equal(ageOf(collected.of(backup).newestGood), 300);
    collected.add(ran(5, { covers: 'papers>b2@1', restorePoint: before(5) }));
    assert.equal(
      ageOf(collected.of(backup).newestGood),
      5,
      'no longer than what the nights have copied since',
    );
  });

  test('knows of many pairs, too, which of them have a copy', () => {
    const wanted = { ...backup, covers: '~aaaaaa ~bbbbbb ~cccccc' };
    const collected = collectRuns([wanted]);
    collected.add(ran(2, { covers: '~aaaaaa ~cccccc' }));
    assert.equal(collected.of(backup).someGood?.run, 'photos-2');
    assert.deepEqual(collected.of(backup).uncovered, ['~bbbbbb']);
    collected.add(ran(3, { covers: '~bbbbbb' }));
    assert.equal(collected.of(backup).newestGood?.run, 'photos-3');
  });

  test('does not take the run of a first upload for the last run of the job', () => {
    const collected = collectRuns([backup]);
    const run = 'photos.seed-b2-2026-11-20T03:30:00Z';
    collected.add(ran(1, { run, state: 'failed' }));
    collected.add(ran(2));
    assert.equal(collected.of(backup).last?.run, 'photos-2');
    assert.equal(collected.of(backup).uploads?.get('b2')?.run, run);
  });
});
