import assert from 'node:assert/strict';
import { test } from 'node:test';
import pc from 'picocolors';
import { showDrill } from '../../cli/doctor/drill-view.js';
import type { DrillReport, DrillScene } from '../../contracts/doctor.js';

/** What an operator reads of a drill, and what a script gets. */

const came: DrillScene = {
  mishap: 'the password is wrong',
  expected: 'HF_WRONG_PASSWORD',
  came: 'HF_WRONG_PASSWORD',
  message: 'The password of the store "vault" is wrong',
  endState: 'snapshots of this run: 0, good copies: 1, locks: 0',
  passed: true,
};
const skipped: DrillScene = {
  mishap: 'the worker is killed in the middle of the copy',
  expected: 'ok',
  came: '',
  message: 'no Temporal server was found on this host',
  endState: '',
  passed: false,
  skipped: true,
};
const failed: DrillScene = { ...came, came: 'ok', message: '', passed: false };

function shown(report: Partial<DrillReport>, json = false): { exit: number; text: string } {
  const lines: string[] = [];
  const view = {
    json,
    terminal: false,
    colours: pc.createColors(false),
    out: (text: string) => void lines.push(text),
  };
  const exit = showDrill(view, 'photos.drill-2026-11-20T03:00:00Z', {
    scenes: [came],
    sample: '3 small files of the source',
    removed: true,
    ...report,
  });
  return { exit, text: lines.join('\n') };
}

test('a drill of which every message came ends with 0 and says so', () => {
  const { exit, text } = shown({});
  assert.equal(exit, 0);
  assert.match(text, /^came\tthe password is wrong\tHF_WRONG_PASSWORD\t/m);
  assert.match(text, /^Every message came\. /m);
});

test('a scene that could not be played is never counted as one that came', () => {
  const { exit, text } = shown({ scenes: [came, skipped] });
  assert.equal(exit, 6);
  assert.match(text, /^skipped\tthe worker is killed/m);
  assert.match(text, /^the worker is killed in the middle of the copy: not played: no Temporal server/m);
  assert.match(text, /^Every message that was played came, and 1 could not be played here\. /m);
  assert.doesNotMatch(text, /^Every message came/m);
  assert.equal(JSON.parse(shown({ scenes: [came, skipped] }, true).text).passed, false);
});

test('what failed outweighs what was skipped, and a drill without a played scene has shown nothing', () => {
  const { exit, text } = shown({ scenes: [failed, skipped] });
  assert.equal(exit, 1);
  assert.match(text, /^NOT every message came, and 1 could not be played here\. /m);
  assert.match(text, /HF_WRONG_PASSWORD should have come/);
  assert.equal(shown({ scenes: [skipped] }).exit, 1);
  assert.equal(shown({ scenes: [] }).exit, 1);
});

test('a scratch folder that stays is no good end', () => {
  const { exit, text } = shown({ removed: false });
  assert.equal(exit, 1);
  assert.match(text, /could NOT be removed/);
});
