import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeLock,
  judgeLock,
  type LockFacts,
  mayUnlock,
  parseLockFile,
  type RepositoryLock,
} from '../../activities/restic/locks.js';
import { parseProcessStat } from '../../system/processes.js';

const nowMs = Date.parse('2026-11-20T03:00:00Z');
const minutes = (count: number): number => count * 60_000;
const lock = (more: Partial<RepositoryLock> = {}): RepositoryLock => ({
  id: 'a'.repeat(64),
  timeMs: nowMs - minutes(3),
  exclusive: false,
  hostname: 'vault',
  username: 'root',
  pid: 77,
  ...more,
});
const facts = (more: Partial<LockFacts> = {}): LockFacts => ({
  machine: 'vault',
  started: new Map([[77, nowMs - minutes(4)]]),
  runningSinceMs: undefined,
  seenForMs: 0,
  nowMs,
  ...more,
});

test('a dead restic that we started is ours, however young its lock', () => {
  assert.equal(judgeLock(lock(), facts()), 'ours');
});

test('a living restic is waited for, ours or not', () => {
  const alive = { runningSinceMs: nowMs - minutes(4) };
  assert.equal(judgeLock(lock(), facts(alive)), 'held');
  assert.equal(judgeLock(lock(), facts({ ...alive, started: new Map() })), 'held');
  // A machine that slept: plain unlock would take it away.
  assert.equal(
    judgeLock(
      lock({ timeMs: nowMs - minutes(40) }),
      facts({ runningSinceMs: nowMs - minutes(50), seenForMs: minutes(40) }),
    ),
    'untouchable',
  );
});

test('a dead process of this name that we did not start may live in another container: it is waited for', () => {
  assert.equal(judgeLock(lock(), facts({ started: new Map() })), 'untouchable');
  const later = new Map([[77, nowMs - minutes(1)]]);
  assert.equal(judgeLock(lock(), facts({ started: later })), 'untouchable');
});

test('a number that another process has now is not signalled', () => {
  const reused = facts({ runningSinceMs: nowMs - minutes(1) });
  assert.equal(judgeLock(lock(), reused), 'untouchable');
  const old = facts({ runningSinceMs: nowMs - minutes(1), started: new Map([[77, nowMs - minutes(50)]]) });
  assert.equal(judgeLock(lock({ timeMs: nowMs - minutes(40) }), old), 'ours');
});

test('another machine is waited for until we ourselves have seen no sign of it for half an hour', () => {
  const foreign = lock({ hostname: 'laptop' });
  assert.equal(judgeLock(foreign, facts({ seenForMs: minutes(40) })), 'held');
  // Its clock may be wrong: what it wrote long ago was perhaps written just now.
  const old = lock({ hostname: 'laptop', timeMs: nowMs - minutes(600) });
  assert.equal(judgeLock(old, facts()), 'untouchable');
  assert.equal(judgeLock(old, facts({ seenForMs: minutes(31) })), 'abandoned');
});

test('unlock is run only when it takes away something, and nothing that we would keep', () => {
  assert.equal(mayUnlock([]), false);
  assert.equal(mayUnlock(['held']), false);
  assert.equal(mayUnlock(['ours', 'held']), true);
  assert.equal(mayUnlock(['abandoned']), true);
  assert.equal(mayUnlock(['ours', 'untouchable']), false);
});

test('a lock is read as restic shows it, and told with its owner', () => {
  const stdout =
    '{\n  "time": "2026-11-20T17:04:04.804954367Z",\n  "exclusive": true,\n  "hostname": "vm",\n  "username": "root",\n  "pid": 14928\n}\n';
  const read = parseLockFile('b'.repeat(64), stdout);
  assert.ok(read);
  assert.equal(describeLock(read), 'by process 14928 of root on vm since 2026-11-20T17:04:04Z');
  assert.equal(read.exclusive, true);
  assert.equal(parseLockFile('b', 'Fatal: no'), undefined);
});

test('a process that is dead and not reaped does not count as running', () => {
  const stat = (state: string) =>
    `14928 (a ) Z (name) ${state} 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 1234 0 0`;
  assert.equal(parseProcessStat(stat('S')), 12_340);
  assert.equal(parseProcessStat(stat('Z')), undefined);
});
