import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileRun } from '../../schedules/compile.js';
import { clipBytes, code, durationWords, publicAddress } from '../../schedules/words.js';
import { configOf, example, exampleText, exampleWith } from './example.js';

describe('what the Web UI shows of a run', () => {
  test('the summary says what is done to what', () => {
    const summaries = ['backup', 'prune', 'check'].map(
      (operation) => compileRun(example(), 'photos-offsite', operation).staticSummary,
    );
    assert.deepEqual(summaries, [
      'restic backup of photos to b2-photos',
      'restic retention of b2-photos',
      'restic check of b2-photos',
    ]);
  });

  test('the details say from where, to where, what is kept and what is promised', () => {
    assert.equal(
      compileRun(example(), 'photos-offsite', 'backup').staticDetails,
      [
        '**photos-offsite**: backup with restic',
        '',
        '- From: photos (`nas:/srv/photos`)',
        '- To: b2-photos (`s3:https://s3.eu-central-003.backblazeb2.com/lab-photos`)',
        '- Leaves out: `*.tmp`, `@eaDir`',
        '- Keeps: 7 daily, 5 weekly, 12 monthly, 3 yearly',
        '- Promise: the newest copy is never older than 26h',
      ].join('\n'),
    );
    assert.match(compileRun(example(), 'photos-offsite', 'prune').staticDetails, /at most 5% of the space/);
    assert.match(
      compileRun(example(), 'photos-offsite', 'check').staticDetails,
      /one part of 30 .*\n- Promise: the newest clean check is never older than 35d/,
    );
  });

  test('retention in an append-only store is not said to remove anything', () => {
    const key = '      limits: {';
    const config = exampleWith([key, `      appendOnly: true\n${key}`]);
    const { staticSummary, staticDetails } = compileRun(config, 'photos-offsite', 'prune');
    assert.equal(staticSummary, 'restic retention of b2-photos (append-only: nothing is removed)');
    assert.match(staticDetails, /^- Removes nothing from b2-photos: append-only$/m);
    assert.match(
      compileRun(config, 'photos-offsite', 'backup').staticDetails,
      /Removes nothing from b2-photos/,
    );
    assert.doesNotMatch(compileRun(example(), 'photos-offsite', 'backup').staticDetails, /append-only/);
  });

  test('a hundred resources with long names stay within the limits of the server', () => {
    const names = Array.from({ length: 100 }, (_, index) => `${'photo-album-'.repeat(4)}${index}`);
    const text = exampleText
      .replace(
        'resources:\n',
        `resources:\n${names.map((name) => `  ${name}: { host: nas, directory: "/srv/${'ä`'.repeat(80)}" }\n`).join('')}`,
      )
      .replace('resources: [photos]', `resources: [${names.join(', ')}]`);
    const run = compileRun(configOf(text), 'photos-offsite', 'backup');
    assert.equal(run.staticSummary, 'restic backup of 100 resources to 1 store');
    assert.ok(Buffer.byteLength(run.staticDetails) <= 16 * 1024);
    assert.match(run.staticDetails, /and 80 more/);
  });

  test('nothing in a pattern is taken for Markdown', () => {
    const run = compileRun(
      exampleWith(['"*.tmp"', '"a`b``[x](http://evil)\\n- From: nowhere"']),
      'photos-offsite',
      'backup',
    );
    assert.match(run.staticDetails, /Leaves out: ``` a`b``\[x\]\(http:\/\/evil\)\uFFFD- From: nowhere ```,/);
  });

  test('an address is shown without user and password', () => {
    const shown = [
      'rest:https://user:pa55@host:8000/repo',
      'rest:https://user:p/a@ss@host/repo',
      'rest:https://token@host/repo',
      'sftp:user@host:/srv/restic',
      'sftp://user:pa55@host:2222//srv/restic',
      'rest:https://host:8000/path@home',
      's3:https://s3.example.com/bucket',
      '/srv/@backup:x@y',
      'rclone:remote:path',
      'rclone::s3,provider=Other,secret_access_key=TOP:bucket/path',
      'rest:http://host:8000/repo?token=TOP',
    ].map(publicAddress);
    assert.deepEqual(shown, [
      'rest:https://host:8000/repo',
      'rest:https://host/repo',
      'rest:https://host/repo',
      'sftp:host:/srv/restic',
      'sftp://host:2222//srv/restic',
      'rest:https://host:8000/path@home',
      's3:https://s3.example.com/bucket',
      '/srv/@backup:x@y',
      'rclone:remote:path',
      'rclone::s3:bucket/path',
      'rest:http://host:8000/repo',
    ]);
  });
});

describe('small words', () => {
  test('durations are exact, because a difference of an hour must be seen', () => {
    const shown = [0, 1, 1500, 60_000, 93_600_000, 172_800_000, 90_000].map(durationWords);
    assert.deepEqual(shown, ['0s', '1ms', '1500ms', '1m', '26h', '2d', '90s']);
  });

  test('code is fenced by more ticks than it holds', () => {
    assert.equal(code('plain'), '`plain`');
    assert.equal(code('a`b'), '`` a`b ``');
  });

  test('a cut never tears a character apart', () => {
    const cut = clipBytes('😀'.repeat(100), 50);
    assert.ok(Buffer.byteLength(cut) <= 50);
    assert.match(cut, /^😀+…$/u);
    assert.equal(clipBytes('short', 50), 'short');
  });
});
