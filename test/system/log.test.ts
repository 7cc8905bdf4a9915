import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRunLog, readRunLog, runLogFile } from '../../system/log.js';
import { removeOldLogs } from '../../system/old-logs.js';
import { rememberSecret } from '../../system/redact.js';
import { run } from '../../system/run.js';
import { temporaryFolder } from '../support/temp.js';

const id = 'photos-2026-11-20T03:30:00Z';

test('what is logged can be read, newest lines last, and no secret is in it', async () => {
  const folder = temporaryFolder();
  rememberSecret('pass "with" quotes');
  const log = openRunLog(folder, id, { host: 'nas' });
  log.line('one');
  log.line('the key is pass "with" quotes');
  log.close();
  log.line('after the end');
  const lines = (await readRunLog(folder, id, 10)) ?? [];
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).msg),
    ['one', 'the key is ***'],
  );
  assert.doesNotMatch(readFileSync(runLogFile(folder, id), 'utf8'), /quotes/);
});

test('a log that cannot be written does not end the tool that it is of', async () => {
  const folder = temporaryFolder();
  execFileSync('mkdir', [join(folder, 'logs')]);
  symlinkSync('/dev/full', runLogFile(folder, id));
  const log = openRunLog(folder, id, {});
  const { exitCode } = await run(
    { file: 'sh', args: ['-c', 'for i in 1 2 3; do echo $i >&2; done'] },
    { log: log.line },
  );
  log.close();
  assert.equal(exitCode, 0);
});

test('logs go when they are old, or when all of them are too large: the oldest first, and none of today', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'logs', 'a folder.log'), { recursive: true });
  const nowMs = Date.parse('2026-11-20T03:30:00Z');
  const limits = { ageMs: 90 * 86_400_000, bytes: 1_000 };
  const make = (name: string, days: number, bytes: number): void => {
    const file = join(folder, 'logs', name);
    writeFileSync(file, 'x'.repeat(bytes));
    const seconds = nowMs / 1000 - days * 86_400;
    utimesSync(file, seconds, seconds);
  };
  make('-rf today "large".log', 0.5, 700);
  make('yesterday.log', 1.5, 200);
  make('too much.log', 3, 200);
  make('small, but older than what went.log', 4, 1);
  make('old.log', 91, 1);
  make('old.txt', 91, 1);
  mkdirSync(join(folder, 'snapraid'));
  make('../snapraid/nightly.media.diff', 91, 1);
  make('../snapraid/nightly-today.media.diff', 0.5, 1);
  make('../snapraid/other.media.log', 91, 1);
  const removed = await removeOldLogs(folder, nowMs, limits);
  assert.deepEqual(removed.sort(), [
    'nightly.media.diff',
    'old.log',
    'small, but older than what went.log',
    'too much.log',
  ]);
  const left = ['nightly-today.media.diff', 'other.media.log'];
  assert.deepEqual(readdirSync(join(folder, 'snapraid')).sort(), left);
  assert.deepEqual(readdirSync(join(folder, 'logs')).sort(), [
    '-rf today "large".log',
    'a folder.log',
    'old.txt',
    'yesterday.log',
  ]);
  assert.deepEqual(await removeOldLogs(join(folder, 'none'), nowMs), []);
});
