import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { age, duration, localTime, parseTime } from '../../cli/time.js';

const hour = 3_600_000;

describe('lengths of time', () => {
  test('are told in the unit that matters', () => {
    assert.deepEqual(
      [
        0,
        999,
        59_000,
        60_000,
        59 * 60_000,
        hour,
        7.9 * hour,
        26 * hour,
        47 * hour,
        48 * hour,
        35 * 24 * hour,
      ].map(age),
      ['0 s', '0 s', '59 s', '1 min', '59 min', '1 h', '7 h', '26 h', '47 h', '2 d', '35 d'],
    );
  });

  test('are told in two units where something took so long', () => {
    assert.deepEqual([0, 42_000, 90_000, hour, hour + 5 * 60_000, 25 * hour].map(duration), [
      '0 s',
      '42 s',
      '1 min 30 s',
      '1 h',
      '1 h 05 min',
      '1 d 01 h',
    ]);
  });

  test('of a clock that stands wrong are never negative', () => {
    assert.equal(age(-5000), '0 s');
    assert.equal(duration(-5000), '0 s');
  });
});

describe('the time of --at', () => {
  test('is local time of this machine when no zone is given', () => {
    assert.deepEqual(parseTime('2026-11-19 12:00'), new Date(2026, 10, 19, 12, 0, 0));
    assert.deepEqual(parseTime('2026-11-19T12:00:30'), new Date(2026, 10, 19, 12, 0, 30));
    assert.equal(localTime(new Date(2026, 10, 9, 1, 2, 3)), '2026-11-09 01:02:03');
  });

  test('with a zone is that moment', () => {
    assert.equal(parseTime('2026-11-19T12:00:00Z')?.toISOString(), '2026-11-19T12:00:00.000Z');
    assert.equal(parseTime('2026-11-19 12:00 +01:00')?.toISOString(), '2026-11-19T11:00:00.000Z');
  });

  test('of a day alone is its end, because "as of the 19th" includes the 19th', () => {
    assert.deepEqual(parseTime('2026-11-19'), new Date(2026, 10, 19, 23, 59, 59));
  });

  for (const text of [
    '',
    'yesterday',
    '2026-02-30',
    '2026-13-01',
    '2026-11-19 25:00',
    '2026-11-19 12:60',
    '12:00',
    '1e9',
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => {
      assert.equal(parseTime(text), undefined);
    });
  }
});
