import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRunLog, readRunLog, runLogFile } from '../../system/log.js';
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
