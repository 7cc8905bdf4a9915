import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PoolStatus } from '../../activities/zfs/pool-status.js';
import { judgeScrub } from '../../activities/zfs/scrub-verdict.js';
import { untilOpenMs } from '../../activities/zfs/scrub-window.js';

const status = (more: Partial<PoolStatus> = {}, repairedBytes = 0, errors = 0): PoolStatus => ({
  pool: 'fast',
  state: 'ONLINE',
  scan: {
    kind: 'scrub',
    state: 'finished',
    startedS: 1_795_200_000,
    endedS: 1_795_203_600,
    bytesDone: 10,
    bytesTotal: 10,
    repairedBytes,
    errors,
  },
  errorCount: 0,
  errorFiles: [],
  ...more,
});

describe('what a scrub has shown', () => {
  test('a clean pool', () => {
    assert.deepEqual(judgeScrub(status()), {
      repairedBytes: 0,
      endedAt: '2026-11-20T19:40:00.000Z',
      warnings: [],
    });
  });

  test('what was repaired, and a pool that lacks a disk, are warnings', () => {
    assert.match(judgeScrub(status({}, 4096)).warnings.join(), /4096 bytes were damaged and are repaired/);
    assert.match(judgeScrub(status({ state: 'DEGRADED' })).warnings.join(), /DEGRADED/);
  });

  test('damage that is left is a failure that names files, in one short line', () => {
    const files = Array.from({ length: 9 }, (_, at) => `/fast/${'long '.repeat(30)}${at}`);
    assert.throws(
      () => judgeScrub(status({ errorCount: 9, errorFiles: files })),
      (error: Error & { code?: string }) =>
        error.code === 'HF_POOL_DAMAGED' &&
        error.message.length <= 300 &&
        error.message.includes('/fast/long'),
    );
    assert.throws(() => judgeScrub(status({}, 0, 1)), { code: 'HF_POOL_DAMAGED' });
    assert.throws(() => judgeScrub(status({ errorCount: 1 })), { code: 'HF_POOL_DAMAGED' });
  });
});

describe('the hours of a scrub', () => {
  const at = (time: string): Date => new Date(`2026-11-20T${time}Z`);
  const until = (window: string, time: string, zone = 'UTC') => untilOpenMs(window, zone, at(time)) / 60_000;

  test('none are always open', () => assert.equal(untilOpenMs(undefined, 'UTC', at('12:00:00')), 0));

  test('by day and over midnight', () => {
    assert.equal(until('08:00-18:00', '08:00:00'), 0);
    assert.equal(until('08:00-18:00', '17:59:59'), 0);
    assert.equal(until('08:00-18:00', '18:00:00'), 14 * 60);
    assert.equal(until('22:00-06:00', '23:00:00'), 0);
    assert.equal(until('22:00-06:00', '05:59:00'), 0);
    assert.equal(until('22:00-06:00', '06:00:00'), 16 * 60);
    assert.equal(until('22:00-06:00', '21:59:30'), 0.5);
  });

  test('in the time zone of the schedule, and the same time twice is the whole day', () => {
    assert.equal(until('22:00-06:00', '21:00:00', 'Europe/Berlin'), 0);
    assert.equal(until('22:00-06:00', '05:00:00', 'Europe/Berlin'), 16 * 60);
    assert.equal(until('00:00-00:00', '13:00:00'), 0);
  });
});
