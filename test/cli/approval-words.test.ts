import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stillWaits } from '../../cli/answer-and-follow.js';
import { askedText } from '../../cli/run-view.js';

const run = 'media-2026-11-28T02:30:00Z';
const digest = 'd'.repeat(64);

test('the yes that show offers is bound to what it has shown', () => {
  const lines = askedText(run, { digest, lines: ['it asks: sync?', 'a\u001b[2Jb'] }).split('\n');
  assert.deepEqual(lines.slice(-2), [
    `say yes: holdfast approve ${run} --digest ${digest}`,
    `say no:  holdfast deny ${run}`,
  ]);
  assert.ok(!lines.join('\n').includes('\u001b'));
});

test('the yes that is left after Ctrl-C is bound in the same way', () => {
  assert.equal(
    stillWaits(run, { digest }),
    `${run} still waits for an answer: holdfast approve ${run} --digest ${digest}, or holdfast deny ${run}`,
  );
});
