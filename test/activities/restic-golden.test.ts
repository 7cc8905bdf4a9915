import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { classify, parseLock } from '../../activities/restic/classify.js';
import { namesReader } from '../../activities/restic/hard-links.js';
import { linkTargetReader, parseNode } from '../../activities/restic/listing.js';
import { parseLockFile, parseLockIds } from '../../activities/restic/locks.js';
import {
  parseBackupLine,
  parseForget,
  parsePruned,
  parseRepositoryId,
  parseRestoreLine,
  parseSnapshots,
  parseVersion,
} from '../../activities/restic/parse.js';
import { HoldfastError } from '../../contracts/errors.js';
import { repositoryRoot } from '../support/root.js';

const goldenFolder = join(repositoryRoot, 'test/golden/restic');

for (const version of readdirSync(goldenFolder)) {
  const path = (name: string) => join(goldenFolder, version, name);
  const out = (name: string) => readFileSync(path(`${name}.out`), 'utf8');
  const err = (name: string) => readFileSync(path(`${name}.err`), 'utf8');
  const lines = (name: string) => [...out(name).split('\n'), ...err(name).split('\n')];
  const verdict = (name: string, verb: string) => {
    const exitCode = Number(readFileSync(path(`${name}.code`), 'utf8'));
    const answer = classify({ exitCode, stderrTail: err(name), verb, store: 'shed' });
    if (!(answer instanceof HoldfastError)) return answer;
    assert.ok(answer.message.length <= 300 && answer.message.includes('shed'), answer.message);
    return answer.code;
  };

  describe(`what restic ${version} really printed`, () => {
    test('is understood as that version', () => {
      assert.equal(parseVersion(out('version')).join('.'), version);
    });

    test('shows a lock that a killed restic has left, by its id', () => {
      const [id = '', ...more] = parseLockIds(out('list-locks'));
      assert.deepEqual(more, []);
      const lock = parseLockFile(id, out('cat-lock'));
      assert.ok(lock);
      assert.equal(out('list-locks').trim(), id);
      const { username, exclusive, hostname, pid } = lock;
      assert.deepEqual(
        { username, exclusive, hostname },
        { username: 'nobody', exclusive: false, hostname: 'vm' },
      );
      assert.ok(pid > 1 && lock.timeMs > Date.parse('2026-11-01') && lock.timeMs < Date.parse('2027-01-01'));
    });

    test('tells the summary of a backup', () => {
      const summary = lines('backup')
        .map(parseBackupLine)
        .find((line) => line?.kind === 'summary');
      assert.deepEqual(
        { ...summary, bytesAdded: undefined, snapshot: undefined },
        {
          kind: 'summary',
          files: 4,
          bytes: 40_007,
          filesNew: 4,
          filesChanged: 0,
          bytesAdded: undefined,
          snapshot: undefined,
        },
      );
      const [first] = parseSnapshots(out('snapshots'));
      assert.ok(first && summary?.kind === 'summary' && first.id.startsWith(summary.snapshot));
      assert.ok(summary.snapshot.length >= 8 && summary.bytesAdded > 20_000);
      assert.equal(verdict('backup', 'backup'), 'ok');
    });

    test('names the file that could not be read, and the copy is partial', () => {
      const errors = lines('backup-unreadable')
        .map(parseBackupLine)
        .filter((line) => line?.kind === 'error');
      assert.deepEqual([...new Set(errors.map((line) => line.item))], ['/lab/source/secret']);
      assert.equal(verdict('backup-unreadable', 'backup'), 'partial');
    });

    test('calls a copy without one of its paths a success: only the snapshot itself betrays it', () => {
      assert.equal(verdict('backup-one-path-missing', 'backup'), 'ok');
      assert.match(err('backup-one-path-missing'), /does not exist, skipping/);
      assert.deepEqual(parseSnapshots(out('snapshots')).at(-1)?.paths, ['/lab/source']);
      assert.equal(verdict('backup-all-missing', 'backup'), 'HF_SOURCE_MISSING');
    });

    test('says what is new to a dry run', () => {
      const summary = lines('backup-dry-run')
        .map(parseBackupLine)
        .find((line) => line?.kind === 'summary');
      assert.equal(summary?.kind === 'summary' && summary.filesNew + summary.filesChanged, 1);
    });

    test('lists snapshots, also none', () => {
      assert.deepEqual(parseSnapshots(out('snapshots-none')), []);
      const list = parseSnapshots(out('snapshots'));
      assert.equal(list.length, 3);
      assert.deepEqual(list[0]?.tags.toSorted(), ['job:photos', 'resource:photos', 'run:one']);
      assert.equal(list[0]?.hostname, 'nas');
      const told = version.startsWith('0.14') || version.startsWith('0.16') ? undefined : 4;
      assert.equal(list[0]?.summary?.files, told);
    });

    test('lists nodes with their modes, times and odd names', () => {
      const nodes = out('ls')
        .split('\n')
        .flatMap((line) => parseNode(line) ?? []);
      const find = (name: string) => nodes.find((node) => node.path === `/lab/source/${name}`);
      assert.equal(find('a folder/setuid')?.mode, 0o4755);
      assert.equal(find('line\nbreak "quoted" -n')?.size, 3);
      assert.match(find('photo.bin')?.mtimeNs ?? '', /^\d{19}$/);
      const link = find('link');
      assert.ok(link);
      const reader = linkTargetReader([link]);
      for (const line of out('ls-long').trimEnd().split('\n')) reader.line(line);
      assert.equal(link.linkTarget ?? reader.end().get(link.path), 'a folder/not\nthere -> really');
    });

    test('counts the names of a file', () => {
      const reader = namesReader();
      for (const piece of out('find').split('}')) reader.piece(piece);
      const [told, ...more] = reader.names.get('/lab/source/photo.bin') ?? [];
      assert.deepEqual([told?.links, typeof told?.device, more], [2, 'number', []]);
      assert.equal(reader.names.has('/lab/source/new'), false, 'one name is no word worth');
    });

    test('plans retention with reasons, also of nothing', () => {
      const plan = parseForget(out('forget-plan'));
      assert.deepEqual([plan.keep.length, plan.remove.length], [1, 2]);
      assert.deepEqual(plan.reasons.get(plan.keep[0] ?? ''), ['last snapshot']);
      assert.deepEqual(parseForget(out('forget-plan-none')), { keep: [], remove: [], reasons: new Map() });
      assert.ok(parsePruned(out('prune')) > 0);
      assert.match(parseRepositoryId(out('cat-config')), /^[0-9a-f]{64}$/);
    });

    test('ends in ways that get the right names', () => {
      assert.equal(verdict('wrong-password', 'snapshots'), 'HF_WRONG_PASSWORD');
      assert.equal(verdict('no-repository', 'snapshots'), 'HF_STORE_MISSING');
      assert.equal(verdict('init-exists', 'init'), 'HF_STORE_EXISTS');
      assert.equal(verdict('locked', 'check'), 'HF_STORE_LOCKED');
      assert.equal(verdict('check', 'check'), 'ok');
      assert.equal(verdict('restore', 'restore'), 'ok');
      assert.equal(verdict('unlock', 'unlock'), 'ok');
      const lock = parseLock(err('locked'));
      assert.ok(lock && lock.pid > 1 && lock.host !== '' && /ago/.test(lock.since) && !lock.exclusive);
    });

    test('calls damage damage', () => {
      assert.equal(verdict('check-damaged', 'check'), 'HF_STORE_DAMAGED');
    });

    test('shows no progress of a restore that it does not understand', () => {
      for (const line of lines('restore')) assert.notEqual(parseRestoreLine(line)?.kind, 'error');
    });
  });
}
