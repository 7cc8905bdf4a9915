import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AfterWorker, judgeCounts, judgeWorkerKilled } from '../../activities/doctor/drill-judge.js';

/** What is right after a mishap, and that each thing that is not right is seen. */

const fine: AfterWorker = {
  end: { came: 'ok', message: '' },
  said: 'attempt 1 failed: the worker gave no sign any more; to be tried again',
  counts: { ofRun: 1, good: 4, locks: 0 },
  left: [],
};

test('a run that ended well after its worker was killed is right, and what status said is its message', () => {
  const judged = judgeWorkerKilled(fine, 4);
  assert.equal(judged.isRight, true);
  assert.equal(judged.came, 'ok');
  assert.equal(judged.message, fine.said);
  assert.match(
    judged.endState,
    /ended well; snapshots of this run: 1, good copies: 4, locks: 0; processes: 0$/,
  );
});

describe('after a killed worker it is not right', () => {
  const wrong: [what: string, change: Partial<AfterWorker>, words: RegExp][] = [
    [
      'that the run failed',
      { end: { came: 'HF_TOOL_FAILED', message: 'restic failed' } },
      /ended with HF_TOOL_FAILED/,
    ],
    ['that a lock is left', { counts: { ...fine.counts, locks: 1 } }, /locks: 1 \(should be 1, 4, 0\)/],
    ['that there are two snapshots', { counts: { ...fine.counts, ofRun: 2 } }, /run: 2, .*should be 1, 4, 0/],
    ['that there is no snapshot', { counts: { ...fine.counts, ofRun: 0 } }, /run: 0, .*should be/],
    ['that the copy was not proved', { counts: { ...fine.counts, good: 3 } }, /good copies: 3.*should be/],
    ['that a process is left', { left: ['restic-backup'] }, /processes: 1 \(restic-backup; should be 0\)/],
    ['that nobody said anything', { said: '' }, /status said nothing/],
  ];
  for (const [what, change, words] of wrong)
    test(what, () => {
      const judged = judgeWorkerKilled({ ...fine, ...change }, 4);
      assert.equal(judged.isRight, false);
      assert.match(judged.endState, words);
    });
});

test('the message of a run that failed is shown beside what was said while its worker was dead', () => {
  const { message } = judgeWorkerKilled({ ...fine, end: { came: 'HF_TOOL_FAILED', message: 'broken' } }, 4);
  assert.equal(message, `${fine.said}; broken`);
});

test('a repository is right only with these very numbers and without a lock', () => {
  const right = { ofRun: 1, good: 2 };
  assert.equal(judgeCounts({ ofRun: 1, good: 2, locks: 0 }, right).isRight, true);
  for (const wrong of [
    { ofRun: 1, good: 2, locks: 1 },
    { ofRun: 2, good: 2, locks: 0 },
    { ofRun: 1, good: 3, locks: 0 },
  ])
    assert.match(judgeCounts(wrong, right).endState, /should be 1, 2, 0/);
});
