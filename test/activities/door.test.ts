import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Tools } from '../../activities/door.js';
import { createDoor } from '../../activities/run.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Progress } from '../../contracts/jobs.js';
import { localHost } from '../../system/local-host.js';
import { rememberSecret } from '../../system/redact.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

const run = 'photos-2026-11-20T03:30:00Z';
const hourMs = 3_600_000;

interface Situation {
  attempt?: number;
  /** When the step was first asked for, so long ago. */
  askedMsAgo?: number;
  heartbeatDetails?: Partial<Progress>;
  workflowId?: string;
}

function enter(situation: Situation, body: (tools: Tools) => Promise<unknown>, retryForMs = hourMs) {
  const environment = new MockActivityEnvironment({
    attempt: situation.attempt ?? 1,
    activityType: 'resticBackup',
    workflowExecution: { workflowId: situation.workflowId ?? run, runId: 'run' },
    heartbeatTimeoutMs: 3_000,
    scheduledTimestampMs: Date.now() - (situation.askedMsAgo ?? 0),
    heartbeatDetails: situation.heartbeatDetails,
  });
  const door = createDoor({
    host: localHost({ name: 'nas', stateFolder: temporaryFolder() }),
    config: () => ({}) as Config,
  });
  const beats: Progress[] = [];
  environment.on('heartbeat', (details: Progress) => beats.push(details));
  const done = environment.run(() => door.step({ run, retryForMs }, body));
  return { environment, beats, done };
}

async function failureOf(
  situation: Situation,
  error: Error,
  retryForMs?: number,
): Promise<ApplicationFailure> {
  const { done } = enter(situation, () => Promise.reject(error), retryForMs);
  const failed = await done.then(
    () => assert.fail('it did not fail'),
    (failure: unknown) => failure,
  );
  assert(failed instanceof ApplicationFailure);
  return failed;
}

const outage = new HoldfastError('HF_STORE_UNREACHABLE', 'The store does not answer');

describe('the door of activities', () => {
  test('an error of ours keeps its code, and is tried again only when waiting can help', async () => {
    const wrong = await failureOf({}, new HoldfastError('HF_WRONG_PASSWORD', 'The password is wrong'));
    assert.equal(wrong.type, 'HF_WRONG_PASSWORD');
    assert.equal(wrong.nonRetryable, true);
    const away = await failureOf({}, outage);
    assert.equal(away.type, 'HF_STORE_UNREACHABLE');
    assert.equal(away.nonRetryable, false);
  });

  test('an outage is given up when nothing has moved for as long as the job waits', async () => {
    const asked = { askedMsAgo: 2 * hourMs, attempt: 2 };
    assert.equal((await failureOf(asked, outage)).nonRetryable, true);
    assert.equal((await failureOf(asked, outage, 3 * hourMs)).nonRetryable, false);
  });

  test('a night in the queue is no outage: the first attempt begins with all its patience', async () => {
    assert.equal((await failureOf({ askedMsAgo: 9 * hourMs }, outage)).nonRetryable, false);
  });

  test('an upload of days that moved a moment ago is not given up at its first outage', async () => {
    const movedAt = new Date(Date.now() - 60_000).toISOString();
    const failure = await failureOf(
      { askedMsAgo: 72 * hourMs, attempt: 2, heartbeatDetails: { movedAt } },
      outage,
    );
    assert.equal(failure.nonRetryable, false);
  });

  test('reading the same bytes again at each attempt is no progress', async () => {
    const movedAt = new Date(Date.now() - 2 * hourMs).toISOString();
    const earlier = { movedAt, furthestBytes: 1_000, furthestFiles: 5 };
    const again = enter({ attempt: 9, heartbeatDetails: earlier }, async (tools) => {
      tools.progress({ bytesDone: 1_000, filesDone: 5 });
      throw outage;
    });
    await assert.rejects(again.done, { nonRetryable: true });
    const further = enter({ attempt: 9, heartbeatDetails: earlier }, async (tools) => {
      tools.progress({ bytesDone: 1_001 });
      throw outage;
    });
    await assert.rejects(further.done, { nonRetryable: false });
  });

  test('a disk without space is told as such, wherever the words come from', async () => {
    const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    assert.equal((await failureOf({}, error)).type, 'HF_NO_SPACE');
  });

  test('what nobody foresaw is a mistake of ours, short and without a secret', async () => {
    rememberSecret('hunter2-in-an-error');
    const failure = await failureOf({}, new TypeError(`x of hunter2-in-an-error ${'y'.repeat(5_000)}`));
    assert.equal(failure.type, 'HF_INTERNAL');
    assert(failure.message.length < 700);
    assert.doesNotMatch(failure.message, /hunter2-in-an-error/);
  });

  test('a cancellation ends as cancelled, whatever the tool threw meanwhile', async () => {
    const { environment, done } = enter({}, async (tools) => {
      await new Promise((resolve) => tools.signal.addEventListener('abort', resolve));
      throw new Error('killed by signal');
    });
    environment.cancel('CANCELLED');
    await assert.rejects(done, CancelledFailure);
  });

  test('a step works only for the run of its own workflow', async () => {
    const { done } = enter({ workflowId: 'another-2026-11-20T03:30:00Z' }, async () =>
      assert.fail('it was let in'),
    );
    await assert.rejects(done, { type: 'HF_NOT_IN_CONFIG', nonRetryable: true });
  });

  test('a silent tool beats as well', async () => {
    let end = (): void => undefined;
    const silent = new Promise<void>((resolve) => {
      end = resolve;
    });
    const { beats, done } = enter({}, () => silent);
    await waitFor(() => beats.length >= 3, { timeoutMs: 20_000, what: 'three beats' });
    end();
    await done;
  });
});
