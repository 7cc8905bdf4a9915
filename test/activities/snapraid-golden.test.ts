import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseDiff } from '../../activities/snapraid/parse-diff.js';
import { parseStatus } from '../../activities/snapraid/parse-status.js';
import { parseWork } from '../../activities/snapraid/parse-work.js';
import { judgeSync } from '../../activities/snapraid/sync-verdict.js';
import { HoldfastError } from '../../contracts/errors.js';
import { repositoryRoot } from '../support/root.js';

/** What real versions have said, recorded by test/golden/record-snapraid.ts. */

const folder = join(repositoryRoot, 'test/golden/snapraid');
const unreadable = (error: unknown): boolean =>
  error instanceof HoldfastError && error.code === 'HF_ARRAY_UNREADABLE';

for (const version of readdirSync(folder)) {
  const read = (name: string, kind: string): string =>
    readFileSync(join(folder, version, `${name}.${kind}`), 'utf8');
  const lines = (name: string): string[] => read(name, 'log').split('\n');
  const ending = (name: string): string => read(name, 'code').trim();
  const code = (name: string): number => Number(ending(name));
  const isNew = Number(version.split('.')[0]) >= 14;
  const verdict = (name: string) =>
    judgeSync(
      parseWork('sync', lines(name)),
      {
        exitCode: ending(name).startsWith('SIG') ? undefined : code(name),
        signal: ending(name).startsWith('SIG') ? ending(name) : undefined,
        stderrTail: read(name, 'err'),
      },
      'vm102',
    );

  describe(`snapraid ${version}`, () => {
    test('an array that was never synced is known as such', () => {
      assert.equal(parseStatus(lines('status-never-synced')).isEmpty, true);
      const { counts, syncNeeded } = parseDiff(lines('diff-never-synced'), code('diff-never-synced'));
      assert.equal(syncNeeded, true);
      assert.equal(counts.added, 39);
    });

    test('a name of a file in a message does not change what a status counts', () => {
      const added = isNew ? ['content_info:block:0', 'content_info:block_bad:7'] : ['block_count:0'];
      for (const line of added)
        assert.throws(() => parseStatus([...lines('status-synced'), line]), unreadable, line);
    });

    test('a status says what is synced, scrubbed and bad', () => {
      const synced = parseStatus(lines('status-synced'));
      assert.equal(synced.files, 39);
      assert.equal(synced.unsynced, 0);
      assert.equal(synced.unscrubbed, synced.blocks);
      assert.deepEqual(
        [...synced.filesOfDisk],
        [
          ['d1', 13],
          ['d2', 13],
          ['d3', 13],
        ],
      );
      assert.deepEqual([synced.blocks, synced.blockBytes, synced.rehash], [13, 32_768, false]);
      const readBlocks = synced.readAt.reduce((sum, { blocks }) => sum + blocks, 0);
      assert.equal(readBlocks, synced.blocks);
      const damaged = parseStatus(lines('status-damaged'));
      assert.equal(damaged.bad, 1);
      assert.equal(damaged.badFrom, damaged.badTo);
      assert.equal(parseStatus(lines('status-repaired')).bad, 0);
    });

    test('a diff names every change, however its file is called', () => {
      const { changes, counts, syncNeeded } = parseDiff(lines('diff-changes'), code('diff-changes'));
      assert.equal(syncNeeded, true);
      assert.deepEqual(counts.removed, 1);
      const found = (path: string) => changes.find((change) => change.path === path);
      assert.equal(changes.find(({ kind }) => kind === 'removed')?.disk, 'd1');
      assert.equal(found('Films/4/film 4.mkv')?.emptied, true);
      assert.equal(found('Films/2/film 2.mkv')?.emptied, undefined);
      assert.equal(found('we ird: "quo\'te\\back.mkv')?.from, 'Films/3/film 3.mkv');
      assert.equal(found('Films/0/film 0.mkv')?.kind, 'restored');
      assert.equal(found('line\nsummary:removed:0\nbreak.mkv')?.kind, 'added');
      assert.equal(found('Ünïcödé 海.mkv')?.kind, 'added');
    });

    test('an equal diff needs no sync, and an interrupted sync is to be continued although nothing differs', () => {
      assert.equal(parseDiff(lines('diff-equal'), code('diff-equal')).syncNeeded, false);
      const interrupted = parseDiff(lines('diff-interrupted'), code('diff-interrupted'));
      assert.deepEqual([interrupted.syncNeeded, interrupted.changes.length], [true, 0]);
      assert(parseStatus(lines('status-interrupted')).unsynced > 0);
    });

    test('a sync that was told to stop is interrupted, although it says ok, and older ones end with 0', () => {
      assert.equal(ending('sync-interrupted'), isNew ? 'SIGTERM' : '0');
      assert.equal(parseWork('sync', lines('sync-interrupted')).exit, 'ok');
      assert.equal(verdict('sync-interrupted'), 'interrupted');
      assert.equal(verdict('sync-continued'), 'done');
      assert.equal(verdict('sync-first'), 'done');
    });

    test('what snapraid refuses by itself is a failure in its own words', () => {
      const refusals = ['sync-refuses-empty-file', 'sync-refuses-empty-disk'];
      for (const name of isNew ? refusals : [...refusals, 'sync-without-parity']) {
        const refused = verdict(name);
        assert(refused instanceof HoldfastError, name);
        assert.equal(refused.code, 'HF_ARRAY_REFUSED');
      }
      assert.match(String(verdict('sync-refuses-empty-disk')), /force-empty/);
      assert.equal(verdict('sync-force-zero'), 'done');
    });

    test('a sync without its parity is refused by older versions alone', () => {
      // Nothing that it says differs from a sync that is complete: that is what guardParity is for.
      if (isNew) assert.equal(verdict('sync-without-parity'), 'done');
      else assert.match(String(verdict('sync-without-parity')), /smaller than expected/);
    });

    test('scrubs, checks and repairs say how many errors there were, and in which files', () => {
      const damaged = parseWork('scrub', lines('scrub-damaged'));
      assert.deepEqual([damaged.exit, damaged.dataErrors, damaged.ioErrors], ['error', 1, 0]);
      assert.match(damaged.troubles[0] ?? '', /^d2:Films\/0\/film 7.mkv: Data error/);
      const repaired = parseWork('fix', lines('fix-bad'));
      assert.deepEqual([repaired.exit, repaired.recovered, repaired.unrecoverable], ['recovered', 1, 0]);
      assert.equal(parseWork('scrub', lines('scrub-bad')).exit, 'ok');
      const disk = parseWork('fix', lines('fix-disk'));
      assert.equal(disk.files.recovered.length, 15);
      assert.equal(parseWork('check', lines('check-disk')).files.recoverable.length, 15);
    });

    test('a status that contradicts itself is not understood', () => {
      const whole = lines('status-damaged');
      const otherwise = whole.map((line) =>
        line.replace('summary:exit:bad', 'summary:exit:ok').replace('content_info:block_bad:1', 'x'),
      );
      if (isNew) assert.throws(() => parseStatus(otherwise), unreadable);
      const without = whole.filter((line) => !/^(block_count|content_info):/.test(line));
      assert.throws(() => parseStatus(without), unreadable);
    });

    test('a log that is cut, or of another command, is not understood', () => {
      const whole = lines('diff-changes');
      assert.throws(() => parseDiff(whole.slice(0, -8), 2), unreadable);
      assert.throws(() => parseDiff(whole, 0), unreadable);
      assert.throws(() => parseStatus(whole), unreadable);
      assert.throws(
        () =>
          parseDiff(
            whole.filter((line) => !line.startsWith('scan:remove')),
            2,
          ),
        unreadable,
      );
    });

    test('changes, exits and versions that are not known fail loudly', () => {
      const whole = lines('diff-changes');
      const changed = (from: string | RegExp, to: string): string[] =>
        whole.map((line) => line.replace(from, to));
      assert.throws(() => parseDiff(changed('scan:move:', 'scan:teleport:'), 2), unreadable);
      assert.throws(() => parseDiff(changed('summary:exit:diff', 'summary:exit:splendid'), 2), unreadable);
      assert.throws(() => parseDiff(changed(/^version:.*/, 'version:15.0'), 2), unreadable);
      assert.doesNotThrow(() => parseDiff(changed(/^version:.*/, 'version:14.9'), 2));
    });

    test('a line that slips in through a message is noticed', () => {
      const whole = lines('diff-changes');
      assert.throws(() => parseDiff(['summary:removed:0', ...whole], 2), unreadable);
      assert.throws(() => parseDiff([...whole, 'scan:equal:d1:x', 'scan:remove:d1:x'], 2), unreadable);
    });
  });
}

test('an exit code that stands for a signal is a stop from outside, not a refusal', () => {
  const end = parseWork('sync', []);
  const judged = (exitCode: number) =>
    judgeSync(end, { exitCode, signal: undefined, stderrTail: '' }, 'vm102');
  for (const exitCode of [129, 130, 137, 143]) assert.equal(judged(exitCode), 'interrupted', `${exitCode}`);
  for (const exitCode of [1, 2, 127, 255]) assert(judged(exitCode) instanceof HoldfastError, `${exitCode}`);
});
