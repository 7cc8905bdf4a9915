import assert from 'node:assert/strict';
import { test } from 'node:test';
import { about } from '../../cli/doctor/findings.js';
import { judgePool, judgeZfs } from '../../cli/doctor/judge-pools.js';
import type { PoolFacts } from '../../contracts/doctor.js';

const nowMs = Date.parse('2026-11-20T12:00:00Z');
const well: PoolFacts = {
  pool: 'fast',
  state: 'ONLINE',
  usedPercent: 40,
  bytesFree: 1e12,
  errors: 0,
  scrubbedAt: '2026-11-15T03:00:00Z',
};
const levels = (more: Partial<PoolFacts>): string[] =>
  judgePool(about('din'), { ...well, ...more }, nowMs).map(({ level }) => level);

test('a pool that is well is one line', () => assert.deepEqual(levels({}), ['ok']));
test('a pool that lacks a disk is a warning, one that is gone stands in the way', () => {
  assert.deepEqual(levels({ state: 'DEGRADED' }), ['warning']);
  assert.deepEqual(levels({ state: 'SUSPENDED' }), ['blocking']);
  assert.deepEqual(levels({ error: 'no such pool' }), ['blocking']);
});
test('errors in data stand in the way, whatever the state says', () => {
  assert.deepEqual(levels({ errors: 2 }), ['blocking']);
});
test('85 % are told, from 90 % on it is a warning', () => {
  assert.deepEqual(levels({ usedPercent: 85 }), ['ok', 'note']);
  assert.deepEqual(levels({ usedPercent: 97 }), ['ok', 'warning']);
});
test('below its floor it stands in the way of snapshots', () => {
  assert.deepEqual(levels({ usedPercent: 97, floorPercent: 2 }), ['ok', 'warning']);
  assert.deepEqual(levels({ usedPercent: 99, floorPercent: 2 }), ['ok', 'blocking']);
});
test('a scrub that is missing or long ago is told, unless one is under way', () => {
  assert.deepEqual(levels({ scrubbedAt: undefined } as Partial<PoolFacts>), ['ok', 'note']);
  assert.deepEqual(levels({ scrubbedAt: '2026-10-01T03:00:00Z' }), ['ok', 'warning']);
  assert.deepEqual(levels({ scrubbedAt: '2026-10-01T03:00:00Z', busyWith: 'scrub' }), ['ok']);
});

test('what is missing is told as the line that mends it, with names as a shell takes them', () => {
  const missing = [
    { dataset: 'fast/a b', user: 'holdfast', permissions: ['destroy', 'snapshot'] },
    { dataset: 'fast', user: 'holdfast', permissions: ['scrub'] },
  ];
  const [rights, scrub] = judgeZfs(about('din'), { version: '2.3.9', missing });
  assert.match(rights?.next ?? '', /zfs allow -u holdfast destroy,snapshot 'fast\/a b'$/);
  assert.match(scrub?.next ?? '', /ssh\.sudo/);
  assert.deepEqual(
    judgeZfs(about('din'), { version: '2.3.9', missing: [] }).map(({ level }) => level),
    ['ok'],
  );
});

test('what is asked for only when partial state is to be given up is a note, with what it is for and what else it allows', () => {
  const wanted = [{ dataset: 'backup/a b', user: 'holdfast', permissions: ['destroy'] }];
  const [rights, note] = judgeZfs(about('din'), { version: '2.4.1', missing: [], wanted });
  assert.deepEqual([rights?.level, note?.level], ['ok', 'note']);
  assert.match(`${note?.found}`, /may not destroy on backup\/a b: .*stream was cut/);
  assert.match(
    note?.next ?? '',
    /zfs receive -A DATASET.*snapshots.*zfs allow -u holdfast destroy 'backup\/a b'$/,
  );
});

test('another tool at a target is a warning, at a source a neighbour', () => {
  const others = (['source', 'target'] as const).map((side) => ({
    dataset: 'x/k',
    side,
    who: 'syncoid',
    by: '@syncoid_a',
  }));
  const found = judgeZfs(about('din'), { version: '2.3.9', missing: [], others });
  assert.deepEqual(
    found.map(({ level }) => level),
    ['ok', 'note', 'warning'],
  );
  assert.match(found[2]?.found ?? '', /syncoid works on x\/k too \(@syncoid_a\)/);
});

test('what a replication wants between both ends and is not there is told with the job that wants it', () => {
  const lacks = ['mbuffer or pv', 'zstd'].map((program) => ({ job: 'copy', program }));
  const [, limit, compress] = judgeZfs(about('din'), { version: '2.3.9', missing: [], lacks });
  assert.equal(limit?.level, 'warning');
  assert.match(limit?.found ?? '', /without one on the other host "limit" of copy cannot be kept/);
  const [, neither] = judgeZfs(about('din'), {
    ...{ version: '2.3.9', missing: [] },
    lacks: [{ job: 'copy', program: 'mbuffer or pv', other: 'grogu', neither: true }],
  });
  assert.equal(neither?.level, 'blocking');
  assert.match(
    neither?.found ?? '',
    /neither here nor on grogu, and "limit" of copy needs one: its runs send/,
  );
  assert.equal(compress?.level, 'blocking');
  assert.match(compress?.found ?? '', /"compress" of copy needs it/);
});
