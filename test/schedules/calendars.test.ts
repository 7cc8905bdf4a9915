import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { calendarsOf, cronText, rangesOf, sameCalendars } from '../../schedules/calendars.js';

describe('times as sets of numbers', () => {
  test('ranges always have both ends, also those of one number and of zero', () => {
    assert.deepEqual(rangesOf([0]), [{ start: 0, end: 0 }]);
    assert.deepEqual(rangesOf([7, 1, 3, 2, 2]), [
      { start: 1, end: 3 },
      { start: 7, end: 7 },
    ]);
    assert.deepEqual(rangesOf([]), []);
  });

  test('one restricted day field needs one calendar, two need two', () => {
    const counts = ['0 3 * * *', '0 3 1 * *', '0 3 * * 1', '0 3 1 * 1', '0 3 */2 * 1', '@monthly'].map(
      (cron) => calendarsOf(cron).length,
    );
    assert.deepEqual(counts, [1, 1, 1, 2, 1, 1]);
  });

  test('Sunday is one day, whether it is written 0 or 7', () => {
    assert.ok(sameCalendars(calendarsOf('0 3 * * 0'), calendarsOf('0 3 * * 7')));
    assert.equal(sameCalendars(calendarsOf('0 3 * * 0'), calendarsOf('0 3 * * 1')), false);
  });

  test('a comment is believed only while it says what the calendars say', () => {
    const calendars = calendarsOf('*/30 3 * * mon');
    assert.equal(cronText(calendars, '*/30 3 * * mon'), '*/30 3 * * mon');
    assert.equal(cronText(calendars, '0 3 * * mon'), '0,30 3 * * 1');
    assert.equal(cronText(calendars, 'nightly; do not touch'), '0,30 3 * * 1');
    assert.equal(cronText(calendars, undefined), '0,30 3 * * 1');
  });

  test('what cron cannot say is said in words', () => {
    const [calendar] = calendarsOf('0 3 * * *');
    assert.ok(calendar);
    assert.equal(
      cronText([{ ...calendar, second: [30], year: [2027, 2028] }], undefined),
      '0 3 * * * at second 30 in 2027-2028',
    );
    assert.equal(cronText(calendarsOf('0 3 1 * 1'), undefined), '0 3 1 * * and 0 3 * * 1');
  });
});
