import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { ActionInput } from '../../contracts/actions.js';
import type {
  FailoverPlan,
  FailoverReport,
  FailoverStepInput,
  WatchReport,
  WatchStepInput,
} from '../../contracts/failover.js';
import type { RunReport } from '../../contracts/jobs.js';
import {
  hostQueue,
  queryNames,
  runId,
  transferQueue,
  updateNames,
  watchRun,
  workflowQueue,
} from '../../contracts/names.js';
import type { NotifyStepInput } from '../../contracts/notify.js';
import { createLog } from '../../system/log.js';
import { bundleFile } from '../../workers/bundle-file.js';
import { installRuntime } from '../../workers/runtime.js';
import { needs } from '../support/needs.js';
import { startTestServer, type TestServer } from '../support/temporal-server.js';
import { waitFor } from '../support/wait.js';

/** Who waits for the return of a dead source, on a real server; what the hosts do is played. */

const input: ActionInput = {
  ...{
    job: 'copy',
    action: 'failover',
    settings: { source: 'off' },
    stores: ['grogu'],
    storeHosts: { grogu: 'nas' },
  },
  sources: ['photos', 'vms'].map((resource) => ({ resource, host: 'din' })),
  limits: { retryForMs: 1_000, giveUpAfterMs: 60_000, deadHostAfterMs: 10_000 },
  notify: [{ channel: 'phone', host: 'nas', on: ['failed'] }],
};
const planned: FailoverPlan = {
  ...{ digest: 'd', source: 'silent', lines: ['it takes over'], datasets: 1 },
  hooks: { stop: false, start: false },
};

describe('the watch after a failover whose source did not answer', { skip: needs('temporal') }, () => {
  let server: TestServer;
  let native: NativeConnection;
  let connection: Connection;
  let client: Client;
  let workers: Worker[] = [];
  let running: Promise<void>[] = [];
  let looks: { step: WatchStepInput; answer(report: WatchReport | Error): void }[] = [];
  let messages: NotifyStepInput[] = [];
  let plan: FailoverPlan = planned;
  const broken = new Set<string>();

  const activities = {
    zfsPlanFailover: async (): Promise<FailoverPlan> => plan,
    zfsPromoteReplica: async ({ resource }: FailoverStepInput): Promise<FailoverReport> => {
      if (broken.has(resource))
        throw ApplicationFailure.create({ type: 'HF_TOOL_FAILED', message: 'no', nonRetryable: true });
      return { datasets: 1, byHand: [], notes: [], warnings: [] };
    },
    zfsWatchReturned: (step: WatchStepInput): Promise<WatchReport> =>
      new Promise((resolve, reject) => {
        looks.push({ step, answer: (said) => (said instanceof Error ? reject(said) : resolve(said)) });
      }),
    notifySend: async (step: NotifyStepInput): Promise<{ sent: boolean }> => {
      messages.push(step);
      return { sent: true };
    },
  };

  before(async () => {
    installRuntime(createLog('test', 'fatal'));
    server = await startTestServer();
    native = await NativeConnection.connect({ address: server.address });
    const shared = { connection: native, namespace: server.namespace };
    workers = await Promise.all([
      Worker.create({ ...shared, taskQueue: workflowQueue, workflowBundle: { codePath: bundleFile } }),
      ...[hostQueue('nas'), transferQueue('nas')].map((taskQueue) =>
        Worker.create({ ...shared, taskQueue, activities }),
      ),
    ]);
    running = workers.map((worker) => worker.run());
    connection = await Connection.connect({ address: server.address });
    client = new Client({ connection, namespace: server.namespace });
  });

  after(async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await connection?.close();
    await native?.close();
    await server?.stop();
  });

  /** To its end, with a yes. */
  async function failOver(minute: number): Promise<{ run: string; ended: Promise<unknown> }> {
    [looks, messages] = [[], []];
    const run = runId('copy.failover', new Date(Date.UTC(2026, 10, 20, 3, minute)));
    const handle = await client.workflow.start('failOver', {
      ...{ workflowId: run, taskQueue: workflowQueue, args: [input] },
    });
    await waitFor(async () => (await handle.query<RunReport>(queryNames.report)).asks !== undefined, {
      ...{ timeoutMs: 20_000, what: 'the question' },
    });
    await handle.executeUpdate(updateNames.approve, { args: [{ digest: 'd.d', by: 'anna' }] });
    return { run, ended: handle.result() };
  }
  const look = async (number: number) => {
    await waitFor(async () => looks.length >= number, { timeoutMs: 20_000, what: `look ${number}` });
    const found = looks[number - 1];
    assert(found);
    return found;
  };

  test('it goes on when the failover has ended, tells people of each that came back, and ends with the last', async () => {
    const { run, ended } = await failOver(1);
    await ended;
    const watch = client.workflow.getHandle(watchRun(run));
    assert.equal((await watch.describe()).status.name, 'RUNNING');
    const first = await look(1);
    assert.deepEqual(first.step, {
      ...{ job: 'copy', run: watchRun(run), store: 'grogu', resources: ['photos', 'vms'], told: [] },
      retryForMs: Number.MAX_SAFE_INTEGER,
    });
    first.answer({ found: ['photos is open'], open: ['photos'], isOver: false });
    const second = await look(2);
    assert.deepEqual(second.step.told, ['photos']);
    second.answer({ found: ['photos was made readonly', 'so was vms'], open: [], isOver: true });
    assert.deepEqual(await watch.result(), {
      found: ['photos is open', 'photos was made readonly', 'so was vms'],
    });
    await waitFor(async () => messages.length === 2, { timeoutMs: 20_000, what: 'both messages' });
    const told = messages.map(({ notice }) => notice).sort((one, other) => (one.what < other.what ? -1 : 1));
    assert.deepEqual(
      told.map(({ job, what, lines, code }) => [job, what, lines, code]),
      [
        ['copy', 'photos is open', [], 'HF_FAILED_OVER'],
        ['copy', 'photos was made readonly', ['so was vms'], 'HF_FAILED_OVER'],
      ],
    );
    assert.match(told[0]?.next ?? '', /"holdfast do copy failback"/);
  });

  test('it is started too where a part of the failover fails: its replica may be in use; when nothing is left to wait for nobody is told', async () => {
    broken.add('photos');
    const { run, ended } = await failOver(2);
    await assert.rejects(ended);
    (await look(1)).answer({ found: [], open: [], isOver: true });
    const watch = client.workflow.getHandle(watchRun(run));
    assert.deepEqual(await watch.result(), { found: [] });
    assert.equal(messages.filter(({ notice }) => notice.run === watchRun(run)).length, 0);
    broken.clear();
  });

  test('cancelled by hand it ends, and a step that no worker could do is asked again', async () => {
    const { run, ended } = await failOver(3);
    await ended;
    const { answer } = await look(1);
    const watch = client.workflow.getHandle(watchRun(run));
    answer(ApplicationFailure.create({ type: 'HF_CONFIG', message: 'no file', nonRetryable: true }));
    await waitFor(
      async () =>
        (await watch.query<RunReport>(queryNames.report)).steps.some(({ state }) => state === 'failed'),
      { timeoutMs: 20_000, what: 'the trouble to be shown' },
    );
    assert.equal((await watch.describe()).status.name, 'RUNNING');
    await watch.cancel();
    await assert.rejects(watch.result());
    assert.equal((await watch.describe()).status.name, 'CANCELLED');
  });

  test('a source that lives stands by already: nobody waits for it', async () => {
    plan = { ...planned, source: 'answers', goesOn: true };
    const { run, ended } = await failOver(4);
    await ended;
    await assert.rejects(client.workflow.getHandle(watchRun(run)).describe());
    plan = planned;
  });
});
