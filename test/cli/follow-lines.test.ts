import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lineFollower, progressLine } from '../../cli/follow-lines.js';
import type { PendingStep, Snapshot } from '../../cli/snapshot.js';
import { waitOfRun } from '../../cli/snapshot.js';
import type { Progress, StepLine } from '../../contracts/jobs.js';

const startMs = new Date(2026, 10, 20, 4, 0, 0).getTime();
const at = (seconds: number): Date => new Date(startMs + seconds * 1000);
const mebibyte = 2 ** 20;

const progress = (percent: number, facts: Partial<Progress> = {}): Progress => ({
  v: 1,
  phase: 'copying',
  bytesDone: percent * mebibyte,
  bytesTotal: 100 * mebibyte,
  filesDone: percent,
  filesTotal: 100,
  bytesPerSecond: 2 * mebibyte,
  movedAt: `moved at ${percent}`,
  ...facts,
});
const pending = (facts: Partial<PendingStep> = {}): PendingStep => ({
  id: '5',
  activity: 'resticBackup',
  state: 'started',
  attempt: 1,
  host: 'nas',
  scheduledAt: at(0),
  startedAt: at(0),
  ...facts,
});
const look = (seconds: number, facts: Partial<Snapshot> = {}): Snapshot => ({
  at: at(seconds),
  status: 'RUNNING',
  pending: [],
  ...facts,
});
const steps = (...lines: [string, StepLine['state'], string?][]): Partial<Snapshot> => ({
  report: { steps: lines.map(([name, state, note = '']) => ({ name, state, note })) },
});

describe('following a run in a pipe', () => {
  test('says each change of a step once', () => {
    const follow = lineFollower();
    assert.deepEqual(follow(look(0, steps(['look at photos', 'running']))), ['look at photos: started']);
    assert.deepEqual(follow(look(1, steps(['look at photos', 'running']))), []);
    assert.deepEqual(follow(look(2, steps(['look at photos', 'done', '9000 files'], ['copy', 'waiting']))), [
      'look at photos: done (9000 files)',
    ]);
  });

  test('says progress at each tenth', () => {
    const follow = lineFollower();
    const said = [2, 8, 12, 15, 20, 55, 58, 100].flatMap((percent, second) =>
      follow(look(second, { pending: [pending({ progress: progress(percent) })] })),
    );
    assert.deepEqual(
      said.map((line) => /\d+ %/.exec(line)?.[0]),
      ['2 %', '12 %', '20 %', '55 %', '100 %'],
    );
  });

  test('says slow progress every 30 seconds, and nothing while nothing moves', () => {
    const follow = lineFollower();
    const saidAt = (second: number, percent: number): number =>
      follow(look(second, { pending: [pending({ progress: progress(percent) })] })).length;
    assert.equal(saidAt(0, 1), 1);
    assert.equal(saidAt(20, 2), 0);
    assert.equal(saidAt(31, 3), 1);
    assert.equal(saidAt(70, 3), 0);
    assert.equal(saidAt(75, 4), 1);
  });

  test('says why an attempt failed and when it is tried again, once for each attempt', () => {
    const follow = lineFollower();
    const failing = pending({
      state: 'scheduled',
      attempt: 2,
      failure: { code: 'HF_STORE_UNREACHABLE', message: 'The store b2 does not answer' },
      nextAttemptAt: at(74),
    });
    assert.deepEqual(follow(look(10, { pending: [failing] })), [
      'attempt 1 failed: The store b2 does not answer; tried again at 04:01:14 (in 1 min 04 s)',
    ]);
    assert.deepEqual(follow(look(20, { pending: [failing] })), []);
    const again = { ...failing, attempt: 3, nextAttemptAt: at(200) };
    assert.match(follow(look(80, { pending: [again] }))[0] ?? '', /^attempt 2 failed/);
  });

  test('says what it waits for when that changes', () => {
    const follow = lineFollower();
    const waiting = look(0, { report: { steps: [], waitingFor: 'store-b2, held by photos-1' } });
    assert.deepEqual(follow(waiting), ['waiting for store-b2, held by photos-1']);
    assert.deepEqual(follow(waiting), []);
    assert.deepEqual(follow(look(2, steps())), []);
    assert.deepEqual(follow(waiting), ['waiting for store-b2, held by photos-1']);
  });

  test('never lets a file name move the cursor', () => {
    const follow = lineFollower();
    const [line = ''] = follow(look(0, steps(['copy', 'failed', 'a\u001b[2Jb\nc\u202ed'])));
    assert.equal(line, 'copy: failed (a [2Jb c d)');
  });

  test('leaves progress to the bar when there is one', () => {
    const follow = lineFollower({ progress: false });
    assert.deepEqual(follow(look(0, { pending: [pending({ progress: progress(50) })] })), []);
  });
});

describe('what a run waits for', () => {
  const queued = (facts: Partial<PendingStep>) =>
    pending({ state: 'scheduled', startedAt: undefined, ...facts });

  test('is a worker of the host when none asks for work', () => {
    const snapshot = look(6, { pending: [queued({ hostHasWorker: false })] });
    assert.equal(waitOfRun(snapshot), 'waiting for a worker of host nas');
  });

  test('is the host itself when its worker is there but does not take the step', () => {
    assert.match(
      waitOfRun(look(6, { pending: [queued({ hostHasWorker: true })] })) ?? '',
      /^waiting for host nas/,
    );
  });

  test('is nothing in the first seconds, nor while a step is worked on', () => {
    assert.equal(waitOfRun(look(3, { pending: [queued({ hostHasWorker: false })] })), undefined);
    assert.equal(waitOfRun(look(600, { pending: [pending()] })), undefined);
  });

  test('is no worker while the pause before a retry lasts', () => {
    const retry = queued({ attempt: 2, hostHasWorker: false, nextAttemptAt: at(100) });
    assert.equal(waitOfRun(look(50, { pending: [retry] })), undefined);
  });

  test('is an orchestrator when nobody takes up the workflow', () => {
    assert.equal(waitOfRun(look(3, { noOrchestratorSince: at(0) })), undefined);
    assert.match(waitOfRun(look(6, { noOrchestratorSince: at(0) })) ?? '', /^waiting for an orchestrator/);
  });

  test('is an operator who has paused the step', () => {
    assert.equal(
      waitOfRun(look(0, { pending: [pending({ state: 'paused' })] })),
      'paused by an operator in Temporal',
    );
  });
});

describe('a line of progress', () => {
  test('has percent, amount, rate and time left', () => {
    assert.equal(
      progressLine(progress(40, { secondsLeft: 150 })),
      'copying: 40 %, 40 MiB of 100 MiB, 40 of 100 files, 2 MiB/s, 2 min 30 s left',
    );
  });

  test('never goes beyond 100 % although the total still grows', () => {
    assert.match(progressLine(progress(130)), /^copying: 100 %/);
  });

  test('tells what it does when there are no numbers', () => {
    assert.equal(
      progressLine(progress(0, { bytesTotal: 0, filesTotal: 0, bytesPerSecond: 0 })),
      'copying: working',
    );
  });
});
