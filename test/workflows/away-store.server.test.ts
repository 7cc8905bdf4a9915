import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { AwayHost } from '../../contracts/away.js';
import type { JobInput, RunResult } from '../../contracts/jobs.js';
import { hostQueue, workflowQueue } from '../../contracts/names.js';
import type { ReliefReport, ReliefStepInput } from '../../contracts/replication.js';
import { createLog } from '../../system/log.js';
import { bundle } from '../../workers/bundle.js';
import { installRuntime } from '../../workers/runtime.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';
import { startTestServer, type TestServer } from '../support/temporal-server.js';

/** A replication whose store is away, on a real server: nothing is sent, and what the source keeps for it is looked at. */

const died = 'copy-2026-11-20T03:00:00Z';
const short = '1 % of bulk is free, its floor is 2 %; bookmarks take their place now';

const lagging = [{ resource: 'photos', store: 'grogu', host: 'din' }];
const grogu: AwayHost = {
  ...{ host: 'grogu', untilMs: Date.parse('2999-12-24'), words: 'grogu is away until 2999-12-24: broken' },
  ...{ resources: [], stores: ['grogu'], covers: '' },
};

describe('a store that is away', { skip: needs('temporal') }, () => {
  let server: TestServer;
  let native: NativeConnection;
  let connection: Connection;
  let workers: Worker[] = [];
  let running: Promise<void>[] = [];
  const asked: ReliefStepInput[] = [];
  let answer: (step: ReliefStepInput) => ReliefReport = () => ({ warnings: [] });
  const activities = {
    zfsRelieveSource: async (step: ReliefStepInput): Promise<ReliefReport> => {
      asked.push(step);
      return answer(step);
    },
  };

  before(async () => {
    installRuntime(createLog('test', 'fatal'));
    server = await startTestServer();
    const codePath = join(temporaryFolder(), 'bundle.js');
    await bundle(fileURLToPath(new URL('./small-workflows.js', import.meta.url)), codePath);
    native = await NativeConnection.connect({ address: server.address });
    const shared = { connection: native, namespace: server.namespace };
    workers = await Promise.all([
      Worker.create({ ...shared, taskQueue: workflowQueue, workflowBundle: { codePath } }),
      Worker.create({ ...shared, taskQueue: hostQueue('din'), activities }),
    ]);
    running = workers.map((worker) => worker.run());
    connection = await Connection.connect({ address: server.address });
  });

  after(async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await connection?.close();
    await native?.close();
    await server?.stop();
  });

  const replicate = (run: string, away: AwayHost[]): Promise<RunResult> => {
    asked.length = 0;
    const input: JobInput = {
      ...{ job: 'copy', operation: 'replicate', stores: ['grogu'], away },
      sources: [{ resource: 'photos', host: 'din' }],
      limits: { retryForMs: 1000, giveUpAfterMs: 60_000, deadHostAfterMs: 60_000 },
    };
    const client = new Client({ connection, namespace: server.namespace });
    return client.workflow.execute('replicateDatasets', {
      ...{ workflowId: run, taskQueue: workflowQueue, args: [input] },
    });
  };

  test('what is held by a run that has ended is let go, and the skipped run says so', async () => {
    answer = ({ endedRuns }) =>
      endedRuns?.includes(died) ? { warnings: [short] } : { warnings: ['it stays'], holdingRuns: [died] };
    const { outcome, warnings, summary } = await replicate('copy-2026-11-28T03:00:00Z', [
      { ...grogu, lagging },
    ]);
    assert.deepEqual([outcome, warnings], ['skipped', [`photos → grogu: ${short}`]]);
    assert.match(
      summary,
      /^nothing was done: grogu is away until 2999-12-24: broken; photos → grogu: 1 % of/,
    );
    assert.deepEqual(
      asked.map(({ resource, store, endedRuns }) => [resource, store, endedRuns]),
      [
        ['photos', 'grogu', undefined],
        ['photos', 'grogu', [died]],
      ],
    );
  });

  test('a source that cannot be asked keeps nothing from being skipped', async () => {
    answer = () => {
      throw new Error('no zfs here');
    };
    const { outcome, warnings } = await replicate('copy-2026-11-28T04:00:00Z', [{ ...grogu, lagging }]);
    assert.deepEqual([outcome, warnings], ['skipped', []]);
  });

  test('a source that is away itself is not asked, nor is any by a schedule of before', async () => {
    answer = () => ({ warnings: [short] });
    const both = { ...grogu, resources: ['photos'], lagging };
    for (const [hour, away] of [both, grogu].entries())
      assert.deepEqual((await replicate(`copy-2026-11-28T1${hour}:00:00Z`, [away])).warnings, []);
    assert.deepEqual(asked, []);
  });
});
