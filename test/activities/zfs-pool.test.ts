import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseListing } from '../../activities/zfs/parse-list.js';
import { type PoolStatus, parsePoolJson } from '../../activities/zfs/pool-status.js';
import { parsePoolText } from '../../activities/zfs/pool-status-text.js';
import { repositoryRoot } from '../support/root.js';

const golden = (name: string): string =>
  readFileSync(join(repositoryRoot, 'test/golden/zfs/2.3.9', name), 'utf8');

/** What both forms must say. */
const expected: [string, string, (status: PoolStatus) => void][] = [
  ['scrub-never', 'b4mirror', ({ scan, state }) => assert.deepEqual([scan, state], [undefined, 'ONLINE'])],
  [
    'scrub-damaged',
    'b4single',
    ({ scan, errorFiles, errorCount }) => {
      assert.equal(scan?.state, 'finished');
      assert.ok((scan?.errors ?? 0) > 0);
      assert.ok((scan?.endedS ?? 0) > 1_795_000_000);
      assert.ok(errorCount > 0);
      assert.deepEqual(errorFiles, ['/b4pool/f1', '/b4pool/a dir/with space']);
    },
  ],
  [
    'scrub-repaired',
    'b4mirror',
    ({ scan, errorCount }) => {
      assert.deepEqual([scan?.kind, scan?.state, scan?.errors, errorCount], ['scrub', 'finished', 0, 0]);
      assert.ok((scan?.repairedBytes ?? 0) > 30_000_000);
    },
  ],
  [
    'scrub-paused',
    'b4single',
    ({ scan }) => assert.deepEqual([scan?.kind, scan?.state], ['scrub', 'paused']),
  ],
  ['scrub-canceled', 'b4single', ({ scan }) => assert.equal(scan?.state, 'canceled')],
  [
    'scrub-running',
    'b4mirror',
    ({ scan }) => {
      assert.equal(scan?.state, 'running');
      assert.ok((scan?.bytesTotal ?? 0) > 60_000_000);
      assert.ok((scan?.bytesDone ?? -1) >= 0 && (scan?.bytesDone ?? 0) < (scan?.bytesTotal ?? 0));
      assert.ok((scan?.startedS ?? 0) > 1_795_000_000);
    },
  ],
  ['degraded', 'b4mirror', ({ state }) => assert.equal(state, 'DEGRADED')],
];

describe('zpool status', () => {
  for (const [name, pool, check] of expected) {
    test(`${name} as JSON`, () => check(parsePoolJson(golden(`${name}.json`), pool)));
    test(`${name} in the words of older versions`, () => check(parsePoolText(golden(`${name}.txt`), pool)));
  }

  test('a resilver is no scrub', () => {
    assert.equal(parsePoolJson(golden('resilver-running.json'), 'b4mirror').scan?.kind, 'resilver');
    assert.equal(parsePoolText(golden('resilver.txt'), 'b4mirror').scan?.kind, 'resilver');
  });

  test('a report that breaks off, or is of another pool, is refused', () => {
    assert.throws(() => parsePoolJson(golden('degraded.json').slice(0, 300), 'b4mirror'), {
      code: 'HF_TOOL_FAILED',
    });
    assert.throws(() => parsePoolJson(golden('degraded.json'), 'fast'), { code: 'HF_TOOL_FAILED' });
    assert.throws(() => parsePoolText(golden('degraded.txt'), 'fast'), { code: 'HF_TOOL_FAILED' });
    assert.throws(() => parsePoolText('', 'fast'), { code: 'HF_TOOL_FAILED' });
  });

  test('silence about damaged data is no word for a sound pool', () => {
    const sound = golden('degraded.txt');
    const { pool } = parsePoolText(sound, /pool: (\S+)/.exec(sound)?.[1] ?? '');
    const said = (words: string) => parsePoolText(sound.replace(/^errors: .*$/m, words), pool);
    assert.equal(said('errors: No known data errors').errorCount, 0);
    assert.equal(said('errors: 7 data errors, use "-v" for a list').errorCount, 7);
    assert.equal(said('errors: Permanent errors have been detected in the following files:').errorCount, 1);
    for (const words of ['', 'errors: ', 'errors: List of errors unavailable: permission denied'])
      assert.throws(() => said(words), { code: 'HF_TOOL_FAILED' });
  });
});

test('a real listing is read: hostile names, a hold, a bookmark, a clone, an encrypted dataset and a zvol', () => {
  const listing = parseListing(golden('list.txt'));
  const at = (name: string) => listing.get(`fast/b4/golden${name}`);
  assert.deepEqual(
    [...listing.keys()].map((name) => name.slice('fast/b4/golden'.length)),
    ['', '/a b', '/clone', '/pvc-1.x:y_z', '/secret', '/vol'],
  );
  assert.equal(at('/a b')?.snapshots[0]?.holds, 1);
  assert.equal(at('/a b')?.mountpoint, '/tmp/b4 with space');
  assert.equal(at('/clone')?.origin, 'fast/b4/golden/a b@holdfast_hourly_2026-11-20_03-00-00Z');
  assert.equal(at('/secret')?.encryption, 'aes-256-gcm');
  assert.equal(at('/vol')?.type, 'volume');
  assert.equal(at('/vol')?.bookmarks[0]?.guid, at('/vol')?.snapshots[0]?.guid);
  assert.equal(at('')?.snapshots[0]?.run, 'hourly-2026-11-20T03:00:00Z');
  assert.equal(at('/clone')?.encryption, undefined);
});
