import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costLine } from '../../cli/check-cost.js';
import { checkCost } from '../../schedules/check-cost.js';

const gib = 2 ** 30;

test('a part of a daily check is what is read a day, and all parts together are the whole', () => {
  const cost = checkCost({ cron: '0 7 * * *', parts: 30, bytes: 3000 * gib });
  assert.equal(cost.bytesPerCheck, 100 * gib);
  assert.equal(Math.round((cost.bytesPerDay ?? 0) / gib), 100);
  assert.equal(Math.round(cost.daysForAll), 30);
  assert.equal(cost.hoursPerCheck, undefined);
});

test('a weekly check reads a seventh of its part a day', () => {
  const cost = checkCost({ cron: '0 7 * * 0', parts: 10, bytes: 700 * gib });
  assert.equal(Math.round((cost.bytesPerDay ?? 0) / gib), 10);
  assert.equal(Math.round(cost.daysForAll), 70);
});

test('the time of the last check is scaled when the number of parts has changed since', () => {
  const last = { durationMs: 3_600_000, parts: 30 };
  assert.equal(checkCost({ cron: '0 7 * * *', parts: 30, last }).hoursPerCheck, 1);
  const fewer = checkCost({ cron: '0 7 * * *', parts: 10, bytes: 3000 * gib, last });
  assert.equal(fewer.hoursPerCheck, 3);
  assert.equal(Math.round((fewer.bytesPerSecond ?? 0) / 2 ** 20), 28);
});

test('what was never measured is said to be unknown', () => {
  const line = costLine('photos.check', ['b2'], 30, checkCost({ cron: '0 7 * * *', parts: 30 }));
  assert.equal(
    line,
    'photos.check: reads 1/30 of b2: how much that is, is unknown until a backup has ended well; the time is unknown until a check has read a part; all of it in 30 days',
  );
  const measured = checkCost({
    cron: '0 7 * * *',
    parts: 30,
    bytes: 3000 * gib,
    last: { durationMs: 3_600_000, parts: 30 },
  });
  assert.equal(
    costLine('photos.check', ['b2'], 30, measured),
    'photos.check: reads 1/30 of b2: about 100 GiB each time, 100 GiB a day; 1.0 h at the speed of the last check (28.4 MiB/s); all of it in 30 days',
  );
});
