import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Temporal } from '../../cli/context.js';
import { resultOf } from '../../cli/result.js';

/** Whether a question that has no answer yet was taken by anybody, by what Temporal says of it. */

const seconds = (at: number) => ({ seconds: at, nanos: 0 });

/** Each look finds the next of these: since when a task of the workflow waits for an orchestrator. */
function question(looks: (number | undefined)[]) {
  let at = 0;
  let answer: (value: string) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const answered = new Promise<string>((resolve, reject) => {
    answer = resolve;
    fail = reject;
  });
  const ended: string[] = [];
  const describe = async () => {
    const since = looks[at];
    at += 1;
    if (at === looks.length) answer('it was sent');
    return {
      status: { name: 'RUNNING' },
      raw: {
        pendingActivities: [],
        ...(since !== undefined && { pendingWorkflowTask: { state: 1, scheduledTime: seconds(since) } }),
      },
    };
  };
  const temporal = {
    connection: { withDeadline: async (_: number, ask: () => Promise<unknown>) => ask() },
    client: { workflow: { getHandle: () => ({ describe, query: async () => undefined }) } },
  } as unknown as Temporal;
  const handle = {
    workflowId: 'question',
    result: () => answered,
    async terminate(reason: string) {
      ended.push(reason);
      fail(new Error('terminated'));
    },
  };
  const options = { now: () => new Date(), withinMs: 60_000, lookEveryMs: 5 };
  return { result: resultOf(temporal, handle, options), ended };
}

test('a task that nobody takes from one look to the next has no orchestrator', async () => {
  const { result, ended } = question([100, 100, undefined]);
  await assert.rejects(result, { code: 'HF_TEMPORAL_UNREACHABLE', message: /No orchestrator/ });
  assert.deepEqual(ended, ['no orchestrator took it']);
});

test('one that was only just put there, at the end of each step, is taken by somebody', async () => {
  const { result, ended } = question([100, undefined, 130, 140, undefined]);
  assert.equal(await result, 'it was sent');
  assert.deepEqual(ended, []);
});
