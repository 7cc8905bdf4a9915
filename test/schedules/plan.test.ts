import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileSchedules } from '../../schedules/compile.js';
import { planSchedules, type ScheduleChange } from '../../schedules/plan.js';
import { renderPlan } from '../../schedules/render.js';
import { asApplied, editedTo, example, exampleWith, scheduleIn } from './example.js';

const kinds = (changes: ScheduleChange[]) => changes.map(({ id, kind }) => [id, kind]);
const fieldsOf = (change: ScheduleChange | undefined) =>
  change && 'fields' in change ? change.fields : assert.fail('there are no fields');

describe('the plan of the schedules', () => {
  test('what does not exist is added', () => {
    assert.deepEqual(kinds(planSchedules(compileSchedules(example()), [])), [
      ['hf-photos-offsite', 'add'],
      ['hf-photos-offsite.check', 'add'],
      ['hf-photos-offsite.prune', 'add'],
    ]);
  });

  test('what is as it should be stays, whatever order the server hands it back in', () => {
    const desired = scheduleIn(exampleWith(['"30 3 * * *"', '"*/20 3 1,15 * 5"']));
    const observed = asApplied(desired);
    observed.calendars = observed.calendars.map((each) => ({ ...each, minute: [40, 0, 20] })).reverse();
    assert.deepEqual(kinds(planSchedules([desired], [observed])), [[desired.id, 'same']]);
  });

  test('another way to write the same times is no change', () => {
    const observed = asApplied(scheduleIn(example()));
    const desired = scheduleIn(exampleWith(['"30 3 * * *"', '"30 03 */1 * *"']));
    assert.deepEqual(kinds(planSchedules([desired], [observed])), [[desired.id, 'same']]);
  });

  test('a changed configuration is shown field by field', () => {
    const observed = asApplied(scheduleIn(example()));
    const config = exampleWith(
      ['cron: "30 3 * * *", timezone: Europe/Berlin, jitter: 5m', 'cron: "0 4 * * 1-5", overlap: buffer-one'],
      ['rpo: 26h', 'rpo: 48h'],
      ['    objective:', '    retryFor: 90m\n    objective:'],
    );
    const [change] = planSchedules([scheduleIn(config)], [observed]);
    assert.equal(change?.kind, 'change');
    assert.deepEqual(fieldsOf(change), [
      { field: 'cron', from: '"30 3 * * *"', to: '"0 4 * * 1-5"' },
      { field: 'timezone', from: 'Europe/Berlin', to: 'UTC' },
      { field: 'jitter', from: '5m', to: '1m' },
      { field: 'overlap', from: 'skip', to: 'buffer-one' },
      { field: 'limit retryForMs', from: '6h', to: '90m' },
      {
        field: 'details',
        from: 'Promise: the newest copy is never older than 26h',
        to: 'Promise: the newest copy is never older than 2d',
      },
    ]);
  });

  test('an edit by hand is told from a change of the configuration', () => {
    const desired = scheduleIn(example());
    const edited = editedTo(asApplied(desired), { timezone: 'UTC', extras: ['every 1h'] });
    const [change] = planSchedules([desired], [edited]);
    assert.equal(change?.kind, 'edited');
    assert.deepEqual(fieldsOf(change), [
      { field: 'timezone', from: 'UTC', to: 'Europe/Berlin' },
      { field: 'extra', from: 'every 1h', to: 'nothing' },
    ]);
  });

  test('an edit by hand is still told when the configuration has changed as well', () => {
    const edited = editedTo(asApplied(scheduleIn(example())), { timezone: 'UTC' });
    const [change] = planSchedules([scheduleIn(exampleWith(['jitter: 5m', 'jitter: 6m']))], [edited]);
    assert.equal(change?.kind, 'edited');
    assert.deepEqual(
      fieldsOf(change).map(({ field }) => field),
      ['timezone', 'jitter'],
    );
  });

  test('a schedule without our mark was edited, even when it is just as wanted', () => {
    const desired = scheduleIn(example());
    const [change] = planSchedules([desired], [{ ...asApplied(desired), mark: undefined }]);
    assert.equal(change?.kind, 'edited');
    assert.deepEqual(fieldsOf(change), []);
  });

  test('a mark in the form of another version accuses nobody, and is renewed', () => {
    const desired = scheduleIn(example());
    const observed = { ...asApplied(desired), mark: { specHash: 'other', formatVersion: 0 } };
    assert.deepEqual(kinds(planSchedules([desired], [observed])), [[desired.id, 'change']]);
  });

  test('every single setting that the configuration decides is compared', () => {
    const desired = scheduleIn(example());
    const { action } = desired;
    const [input] = action.args;
    const edits: Parameters<typeof editedTo>[1][] = [
      { calendars: desired.calendars.map((each) => ({ ...each, second: [30] })) },
      { calendars: desired.calendars.map((each) => ({ ...each, year: [2030] })) },
      { calendars: [] },
      { jitterMs: 0 },
      { catchupMs: 1 },
      { overlap: 'allow-all' },
      { extras: ['pauses on failure'] },
      { action: { ...action, workflowType: 'other' } },
      { action: { ...action, name: 'other' } },
      { action: { ...action, taskQueue: 'other' } },
      { action: { ...action, args: [] } },
      { action: { ...action, args: [input, 'more'] } },
      { action: { ...action, args: [{ ...input, stores: [] }] } },
      { action: { ...action, args: [{ ...input, sources: [] }] } },
      { action: { ...action, args: [{ ...input, options: { acceptCounts: true } }] } },
      {
        action: { ...action, args: [{ ...input, notify: [{ channel: 'phone', host: 'nas', on: ['ok'] }] }] },
      },
      { action: { ...action, searchAttributes: { HfJob: 'photos-offsite' } } },
      { action: { ...action, staticSummary: '' } },
      { action: { ...action, staticDetails: '' } },
      { action: { ...action, executionTimeoutMs: 0 } },
      { action: { ...action, memo: { ...action.memo, more: 1 } } },
    ];
    for (const edit of edits) {
      const [change] = planSchedules([desired], [editedTo(asApplied(desired), edit)]);
      assert.equal(change?.kind, 'edited', JSON.stringify(edit));
      assert.notEqual(fieldsOf(change).length, 0, JSON.stringify(edit));
    }
  });

  test('a pause, a note and a limit on runs are the operator’s and no difference', () => {
    const desired = scheduleIn(example());
    const observed = { ...asApplied(desired), paused: true, note: 'disk swap', remainingActions: 3 };
    assert.deepEqual(kinds(planSchedules([desired], [observed])), [[desired.id, 'same']]);
  });

  test('what the configuration does not name is an orphan', () => {
    const config = exampleWith(
      ['    check: { cron: "0 7 * * *", parts: 30 }\n', ''],
      ['rpo: 26h, check: 35d', 'rpo: 26h'],
    );
    const observed = compileSchedules(example()).map(asApplied);
    assert.deepEqual(kinds(planSchedules(compileSchedules(config), observed)), [
      ['hf-photos-offsite', 'same'],
      ['hf-photos-offsite.check', 'orphan'],
      ['hf-photos-offsite.prune', 'same'],
    ]);
  });

  test('a plan survives JSON', () => {
    const changes = planSchedules(compileSchedules(example()), []);
    assert.deepEqual(JSON.parse(JSON.stringify(changes)), changes);
  });
});

describe('the plan in words', () => {
  test('reads like this', () => {
    const [backup, check, prune] = compileSchedules(example());
    assert.ok(backup && check && prune);
    const desired = compileSchedules(
      exampleWith(
        ['"30 3 * * *"', '"0 3 * * *"'],
        ['    check: { cron: "0 7 * * *", parts: 30 }\n', ''],
        ['rpo: 26h, check: 35d', 'rpo: 26h'],
        [
          'jobs:\n',
          'jobs:\n  late: { kind: restic-backup, resources: [photos], store: b2-photos, schedule: { cron: "@daily" } }\n',
        ],
      ),
    );
    const observed = [
      { ...asApplied(backup), paused: true, note: 'disk\u001b[31m swap\n' },
      asApplied(check),
      editedTo(asApplied(prune), { overlap: 'allow-all' }),
    ];
    assert.deepEqual(renderPlan(planSchedules(desired, observed)), [
      '+ hf-late  new: "@daily" UTC, restic backup of photos to b2-photos',
      '    jitter 1m, catchup 12h, overlap skip',
      '~ hf-photos-offsite  changes (stays paused: disk [31m swap)',
      '    cron "30 3 * * *" -> "0 3 * * *"',
      '? hf-photos-offsite.check  not in the configuration, still runs (next 2026-11-21 02:30 UTC); "holdfast apply --prune" deletes it',
      '! hf-photos-offsite.prune  was edited by hand; goes back to the configuration',
      '    overlap allow-all -> skip',
      'Schedules: 1 to add, 1 to change, 1 edited by hand, 1 not in the configuration',
    ]);
  });

  test('says so when nothing is to be done', () => {
    const desired = compileSchedules(example());
    assert.deepEqual(renderPlan(planSchedules(desired, desired.map(asApplied))), ['Schedules: 3 unchanged']);
    assert.deepEqual(renderPlan([]), ['Schedules: none']);
  });

  test('a paused orphan is said to be paused', () => {
    const observed = { ...asApplied(scheduleIn(example())), paused: true, note: '' };
    assert.match(renderPlan(planSchedules([], [observed]))[0] ?? '', /not in the configuration \(paused\);/);
  });
});
