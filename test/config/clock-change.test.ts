import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lostStart } from '../../config/clock-change.js';
import { parseCron } from '../../config/cron.js';

const now = new Date('2026-11-28T12:00:00Z');
const lost = (cron: string, zone: string): string | undefined => lostStart(parseCron(cron), zone, now);

test('the one start of a day that the clocks pass over is told, with the day', () => {
  const words =
    'on 2027-03-28 the clocks of Europe/Berlin go from 02:00 to 03:00: 02:30 is passed over, and nothing starts until the next time';
  assert.equal(lost('30 2 * * *', 'Europe/Berlin'), words);
  assert.equal(lost('30 2 * * 0', 'Europe/Berlin'), words);
  assert.match(lost('0 2 14 * *', 'America/New_York') ?? '', /^on 2027-03-14 .* from 02:00 to 03:00/);
  assert.match(lost('15 2 * * *', 'Australia/Lord_Howe') ?? '', /from 02:00 to 02:30/);
});

test('times beside it, other days, zones without summer time and lines that start often lose nothing', () => {
  for (const cron of ['59 1 * * *', '0 3 * * *', '30 2 * * 1', '30 2 1 * *', '30 1,2 * * *', '*/15 * * * *'])
    assert.equal(lost(cron, 'Europe/Berlin'), undefined, cron);
  for (const zone of ['UTC', 'Asia/Tokyo']) assert.equal(lost('30 2 * * *', zone), undefined, zone);
});
