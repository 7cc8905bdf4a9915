import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import pc from 'picocolors';
import { endLines } from '../../cli/end.js';
import { printable } from '../../cli/printable.js';
import { table } from '../../cli/render.js';
import { lastLines, plainLine } from '../../cli/run-log.js';
import { visibilityQuery } from '../../cli/visibility.js';
import { temporaryFolder } from '../support/temp.js';

const pipe = { terminal: false, colours: pc.createColors(false) };
const screen = { terminal: true, colours: pc.createColors(true) };

describe('a table', () => {
  test('in a pipe is one line for each row, with tabs', () => {
    assert.equal(
      table(
        pipe,
        ['a', 'b'],
        [
          ['1', 'two words'],
          ['3', ''],
        ],
      ),
      'a\tb\n1\ttwo words\n3\t',
    );
  });

  test('on a terminal has columns, no borders, and no spaces at the ends of lines', () => {
    const text = table(screen, ['job', 'age'], [['photos-offsite', screen.colours.green('7 h')]]);
    assert.doesNotMatch(text, /[│┌─|+]/);
    assert.doesNotMatch(text, / $/m);
    assert.match(text, /photos-offsite {2,}/);
    assert.ok(text.includes(screen.colours.green('7 h')), 'our own colours stay');
  });

  test('keeps a row on one line whatever a cell holds', () => {
    assert.equal(table(pipe, ['a'], [['x\ny\tz\u001b]0;title\u0007']]).split('\n').length, 2);
    assert(!table(pipe, ['a'], [['shown\u001b[8mhidden\u001b[30;40m']]).includes('\u001b'));
    assert.equal(printable('a\u0000b\u2028c'), 'a b c');
  });
});

describe('the end of a run', () => {
  test('shows the summary, what was verified, what was not, and each warning once', () => {
    const report = {
      snapshot: 'abc',
      restorePoint: '2026-11-20T03:30:00Z',
      target: '/tmp/r',
      files: 1,
      bytes: 1,
      verified: ['content', 'owner'],
      notVerified: ['sparseness'],
      warnings: ['one file has no owner'],
    };
    const warnings = ['one file has no owner'];
    const lines = endLines('r-1', { outcome: 'warnings', report, summary: '1 file restored', warnings });
    assert.deepEqual(lines, [
      'r-1: done with warnings',
      '1 file restored',
      'verified: content, owner',
      'not verified: sparseness',
      'warning: one file has no owner',
    ]);
  });
});

describe('a log', () => {
  test('is read from its end', async () => {
    const file = join(temporaryFolder(), 'run.log');
    writeFileSync(file, Array.from({ length: 1000 }, (_, index) => `line ${index}`).join('\n'));
    assert.deepEqual(await lastLines(file, 2), ['line 998', 'line 999']);
    assert.equal((await lastLines(file, 5000)).length, 1000);
  });

  test('is shown in words, and lines that are no JSON as they are', () => {
    const time = new Date(2026, 10, 20, 3, 30, 1);
    const line = JSON.stringify({
      level: 50,
      time: time.toISOString(),
      step: 'resticBackup',
      msg: 'no space',
    });
    assert.equal(plainLine(line), '2026-11-20 03:30:01 ERROR resticBackup: no space');
    assert.equal(plainLine('{"torn'), '{"torn');
  });
});

test('a query to Temporal holds nothing but names', () => {
  const query = visibilityQuery({ job: "x' OR WorkflowId != 'y", running: false });
  assert.match(query, /HfJob = 'x[a-z0-9-]*'/);
  assert.equal(query.split("'").length % 2, 1, 'quotes are even');
});
