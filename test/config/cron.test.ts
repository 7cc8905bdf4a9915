import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CronExpressionParser } from 'cron-parser';
import { cronIntervals, cronMistake, parseCron, smallestIntervalMs } from '../../config/cron.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const sorted = (values: ReadonlySet<number>): number[] => [...values].sort((a, b) => a - b);

describe('a cron line as sets of numbers', () => {
  test('knows lists, ranges, steps and names', () => {
    const cron = parseCron(' 0,30  9-17/4 1 jan,JUL mon-Fri ');
    assert.deepEqual(sorted(cron.minute), [0, 30]);
    assert.deepEqual(sorted(cron.hour), [9, 13, 17]);
    assert.deepEqual(sorted(cron.dayOfMonth), [1]);
    assert.deepEqual(sorted(cron.month), [1, 7]);
    assert.deepEqual(sorted(cron.dayOfWeek), [1, 2, 3, 4, 5]);
  });

  test('takes 7 and 0 for the same Sunday', () => {
    for (const field of ['7', '0', '0,7', '7,0,7']) {
      assert.deepEqual(sorted(parseCron(`0 0 * * ${field}`).dayOfWeek), [0], field);
    }
    assert.deepEqual(sorted(parseCron('0 0 * * 5-7').dayOfWeek), [0, 5, 6]);
    assert.deepEqual(sorted(parseCron('0 0 * * *').dayOfWeek), [0, 1, 2, 3, 4, 5, 6]);
  });

  test('says which of the two day fields are restricted, as Vixie cron does', () => {
    const restricted = (line: string): boolean[] => {
      const cron = parseCron(line);
      return [cron.dayOfMonthRestricted, cron.dayOfWeekRestricted];
    };
    assert.deepEqual(restricted('0 0 * * *'), [false, false]);
    assert.deepEqual(restricted('0 0 13 * 5'), [true, true]);
    assert.deepEqual(restricted('0 0 */2 * 1'), [false, true]);
    assert.deepEqual(restricted('0 0 1-31/2 * *'), [true, false]);
  });

  test('expands the macros that name a moment', () => {
    assert.deepEqual(parseCron('@daily'), parseCron('0 0 * * *'));
    assert.deepEqual(parseCron('@Weekly'), parseCron('0 0 * * 0'));
    assert.deepEqual(parseCron('@yearly'), parseCron('@annually'));
  });
});

describe('a cron line is refused', () => {
  const refused: [string, RegExp][] = [
    ['', /five fields/],
    ['* * * *', /five fields/],
    ['0 30 3 * * *', /no field for seconds/],
    ['@reboot', /does not know this macro/],
    ['@secondly', /does not know this macro/],
    ['@every 5m', /does not know this macro/],
    ['60 * * * *', /60 where only 0-59/],
    ['0 24 * * *', /24 where only 0-23/],
    ['0 0 0 * *', /0 where only 1-31/],
    ['0 0 * 13 *', /13 where only 1-12/],
    ['0 0 * * 8', /8 where only/],
    ['0 0 30 2 *', /none of its months has/],
    ['5-1 * * * *', /runs backwards/],
    ['*/0 * * * *', /step of 0/],
    ['*/90 * * * *', /step of 90/],
    ['0 0 L * *', /day of month must be made of/],
    ['0 0 ? * 1', /day of month must be made of/],
    ['0 0 * * 1#2', /day of week must be made of/],
    ['0 0 * * monday', /day of week must be made of/],
    ['H * * * *', /minute must be made of/],
    ['0 3 * * 1,', /day of week must be made of/],
    ['-5 * * * *', /minute must be made of/],
    ['\u0663 * * * *', /minute must be made of/],
    ['0 0 * * *; rm -rf /', /must have five fields/],
  ];
  for (const [line, words] of refused) {
    test(`when it is ${JSON.stringify(line)}`, () => {
      assert.match(cronMistake(line) ?? 'accepted', words);
      assert.throws(() => parseCron(line), words);
    });
  }
});

describe('the time between two starts', () => {
  const cases: [string, number, number][] = [
    ['30 3 * * *', day, day],
    ['* * * * *', minute, minute],
    ['*/25 * * * *', 10 * minute, 25 * minute],
    ['0,59 * * * *', minute, 59 * minute],
    ['0 9-17 * * *', hour, 16 * hour],
    ['0 3 * * 1-5', day, 3 * day],
    ['59 23,0 * * *', hour, 23 * hour],
    ['0 0 1 * *', 28 * day, 31 * day],
    ['0 0 29 2 *', 4 * 365 * day + day, 4 * 365 * day + day],
    ['0 0 1,2 1 *', day, 365 * day],
  ];
  for (const [line, smallest, largest] of cases) {
    test(`of "${line}"`, () => {
      const { smallestMs, largestMs } = cronIntervals(parseCron(line));
      assert.deepEqual([smallestMs, largestMs], [smallest, largest]);
    });
  }

  test('takes two restricted day fields as either, not as both', () => {
    const either = cronIntervals(parseCron('0 0 13 * 5'));
    assert.equal(either.smallestMs, day);
    assert.equal(either.largestMs, 7 * day);
    assert.equal(cronIntervals(parseCron('0 0 */2 * 5')).smallestMs, 7 * day);
  });

  test('is on average what a year of starts gives', () => {
    assert.equal(cronIntervals(parseCron('0 7 * * *')).meanMs, day);
    assert.equal(cronIntervals(parseCron('0 7 * * 0')).meanMs, 7 * day);
    assert.equal(cronIntervals(parseCron('0 7 * * 1-5')).meanMs, (7 * day) / 5);
  });

  test('agrees with the starts that another implementation names', () => {
    for (const line of [
      '7 */5 * * *',
      '15,45 2,14 * * 1,4',
      '0 6 1,15 * *',
      '*/40 8-10 * * *',
      '0 0 13 * 5',
    ]) {
      const starts = CronExpressionParser.parse(line, { tz: 'UTC', currentDate: '2026-01-01T00:00:00Z' });
      const times = Array.from({ length: 1500 }, () => starts.next().getTime());
      const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
      assert.equal(smallestIntervalMs(parseCron(line)), Math.min(...gaps), line);
    }
  });
});
