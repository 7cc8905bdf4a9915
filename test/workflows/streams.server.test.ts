import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { JobInput, RunReport, RunResult } from '../../contracts/jobs.js';
import { heavyQueue, hostQueue, queryNames, transferQueue, workflowQueue } from '../../contracts/names.js';
import type {
  LimitedPool,
  ReplicationLook,
  ReplicationStepInput,
  TransferReport,
  TransferStepInput,
} from '../../contracts/replication.js';
import { createLog } from '../../system/log.js';
import { bundle } from '../../workers/bundle.js';
import { installRuntime } from '../../workers/runtime.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';
import { startTestServer, type TestServer } from '../support/temporal-server.js';
import { waitFor } from '../support/wait.js';
import { provedLook } from '../support/zfs-trees.js';

/** How many streams there are at a time, of several runs, on a real server. Each stream of the host here goes on until it is told to end. */

const timeoutMs = 20_000;

interface Stream {
  run: string;
  resource: string;
  store: string;
  queue: string;
  end(): void;
}

const poolAt = (host: string, pool: string, streams: number, lies: Partial<LimitedPool>): LimitedPool => ({
  host,
  pool,
  streams,
  resources: [],
  stores: [],
  ...lies,
});

describe('streams of pools with a limit, on a real server', { skip: needs('temporal') }, () => {
  let server: TestServer;
  let native: NativeConnection;
  let connection: Connection;
  let client: Client;
  let workers: Worker[] = [];
  let running: Promise<void>[] = [];
  const underWay = new Set<Stream>();
  let most = 0;
  /** By resource: how many groups a run finds at its first look. */
  const groups = new Map<string, number>();
  /** By resource: what the last look of a run finds, if not that all is well. */
  const looks = new Map<string, Partial<ReplicationLook>>();

  const transfer = async (step: TransferStepInput): Promise<TransferReport> => {
    const context = Context.current();
    const beats = setInterval(() => context.heartbeat(), 100);
    const { run, resource, store } = step;
    const stream: Stream = { run, resource, store, queue: context.info.taskQueue, end: () => undefined };
    const told = new Promise<void>((resolve) => {
      stream.end = resolve;
    });
    underWay.add(stream);
    most = Math.max(most, underWay.size);
    try {
      await Promise.race([told, context.cancelled]);
      return { datasets: 1, bytes: 1, troubles: [] };
    } finally {
      underWay.delete(stream);
      clearInterval(beats);
    }
  };
  const activities = {
    zfsLookAtReplicas: async ({ resource, round }: ReplicationStepInput): Promise<ReplicationLook> =>
      round === 1 && groups.get(resource) !== 0
        ? { ...provedLook, groups: groups.get(resource) ?? 1 }
        : { ...provedLook, ...looks.get(resource) },
    zfsTransferReplicas: transfer,
  };

  before(async () => {
    installRuntime(createLog('test', 'fatal'));
    server = await startTestServer();
    const codePath = join(temporaryFolder(), 'bundle.js');
    await bundle(fileURLToPath(new URL('./small-workflows.js', import.meta.url)), codePath);
    native = await NativeConnection.connect({ address: server.address });
    const shared = { connection: native, namespace: server.namespace };
    const quick = { maxHeartbeatThrottleInterval: 100, defaultHeartbeatThrottleInterval: 100 };
    const queues = ['din', 'grogu'].flatMap((host) =>
      [hostQueue, heavyQueue, transferQueue].map((of) => of(host)),
    );
    workers = await Promise.all([
      Worker.create({ ...shared, taskQueue: workflowQueue, workflowBundle: { codePath } }),
      ...queues.map((taskQueue) => Worker.create({ ...shared, ...quick, taskQueue, activities })),
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

  interface Asked extends Partial<JobInput> {
    resource: string;
    groups: number;
    host?: string;
  }

  const replicate = ({ resource, groups: count, host = 'din', ...more }: Asked): Promise<WorkflowHandle> => {
    groups.set(resource, count);
    const input: JobInput = {
      job: resource,
      operation: 'replicate',
      sources: [{ resource, host }],
      stores: ['grogu'],
      limits: { retryForMs: 1000, giveUpAfterMs: 60_000, deadHostAfterMs: 60_000 },
      parallel: 3,
      ...more,
    };
    const workflowId = `${resource}-2026-11-20T03:00:00Z`;
    return client.workflow.start('replicateDatasets', {
      workflowId,
      taskQueue: workflowQueue,
      args: [input],
    });
  };
  const streamsOf = ({ workflowId }: WorkflowHandle): Stream[] =>
    [...underWay].filter(({ run }) => run === workflowId);
  const has = (run: WorkflowHandle, count: number): Promise<unknown> =>
    waitFor(() => streamsOf(run).length === count, {
      timeoutMs,
      what: `${run.workflowId} to have ${count} streams under way`,
    });
  const waitsFor = (run: WorkflowHandle, words: RegExp): Promise<unknown> =>
    waitFor(async () => words.test((await run.query<RunReport>(queryNames.report)).waitingFor ?? ''), {
      timeoutMs,
      what: `${run.workflowId} to wait for ${words}`,
    });
  const heldLeases = async (): Promise<string[]> => {
    const found: string[] = [];
    const query = "WorkflowType = 'holdLease' AND ExecutionStatus = 'Running'";
    for await (const { workflowId } of client.workflow.list({ query }))
      if (workflowId.startsWith('lease-stream-')) found.push(workflowId);
    return found.sort();
  };
  const nothingIsHeld = (): Promise<unknown> =>
    waitFor(async () => (await heldLeases()).length === 0, {
      timeoutMs,
      what: 'all leases to be given back',
    });
  /** The list of what runs is a moment late. */
  const holds = (count: number): Promise<unknown> =>
    waitFor(async () => (await heldLeases()).length === count, { timeoutMs, what: `${count} held leases` });

  /** Ends stream after stream, and hands back how many there were at most at the same time. */
  const endAll = async (runs: WorkflowHandle[]): Promise<number> => {
    most = underWay.size;
    let open = true;
    const ended = Promise.all(runs.map((run) => run.result() as Promise<RunResult>)).finally(() => {
      open = false;
    });
    while (open) {
      const [stream] = underWay;
      stream?.end();
      await pause(5);
    }
    assert.deepEqual(
      (await ended).map(({ outcome }) => outcome),
      runs.map(() => 'ok'),
    );
    return most;
  };

  test('two runs with three lanes each have no more streams together than the pool takes, and both end', async () => {
    const limitedPools = [poolAt('grogu', 'backup', 2, { stores: ['grogu'] })];
    const first = await replicate({ resource: 'vms', groups: 5, limitedPools });
    await has(first, 2);
    const second = await replicate({ resource: 'db', groups: 5, limitedPools });
    await waitsFor(second, /stream-grogu\.backup\.\d, used by vms-2026/);
    // The third lane of the first is kept by its own two.
    await waitsFor(first, /stream-grogu\.backup\.\d, used by vms-2026/);
    assert.deepEqual(
      [...underWay].map(({ queue }) => queue),
      ['host.din.transfers', 'host.din.transfers'],
    );
    assert.equal(await endAll([first, second]), 2);
    await nothingIsHeld();
  });

  test('a lane that got no stream does not keep its run from ending when the others have done all', async () => {
    const limitedPools = [poolAt('grogu', 'tank', 2, { stores: ['grogu'] })];
    const keeps = await replicate({ resource: 'keeps', groups: 1, limitedPools });
    // Before the other one, which would take both of the pool's streams.
    await has(keeps, 1);
    const goesOn = await replicate({ resource: 'goes-on', groups: 4, limitedPools });
    await has(goesOn, 1);
    await waitsFor(goesOn, /stream-grogu\.tank\.\d, used by/);
    for (let left = 4; left > 0; left -= 1) {
      await has(goesOn, 1);
      const [stream] = streamsOf(goesOn);
      stream?.end();
      await waitFor(() => !streamsOf(goesOn).includes(stream as Stream), { timeoutMs, what: 'its end' });
    }
    assert.equal(((await goesOn.result()) as RunResult).outcome, 'ok');
    assert.equal((await goesOn.query<RunReport>(queryNames.report)).waitingFor, undefined);
    assert.equal(streamsOf(keeps).length, 1);
    await endAll([keeps]);
    await nothingIsHeld();
  });

  test('a run that fails for one dataset tells all the same what it found of the others, and of other resources', async () => {
    const [setBack, drift] = ['a/disk: somebody has rolled it back: it held @one', 'b/x: readonly is not on'];
    looks.set('told-a', { warnings: [setBack] });
    looks.set('told-b', {
      ...{ stopped: ['b/db: someone wrote 5 bytes'], stoppedCount: 1 },
      ...{ warnings: Array.from({ length: 9 }, () => drift), notes: ['syncoid works on 1 replica too'] },
    });
    const sources = ['told-a', 'told-b'].map((resource) => ({ resource, host: 'din' }));
    for (const { resource } of sources) groups.set(resource, 0);
    const run = await replicate({ resource: 'told-a', groups: 0, sources });
    const error = await run.result().then(assert.fail, (failed: Error) => failed.cause as Error);
    assert.match(error.message, /told-b → grogu: 1 stopped, .*someone wrote 5 bytes\. Besides: /);
    assert(error.message.includes(`told-a → grogu: ${setBack}`), error.message);
    assert.match(error.message, /told-b → grogu: b\/x: readonly is not on; .*; … and 5 more$/);
    const { steps } = await run.query<RunReport>(queryNames.report);
    const line = (name: string) => steps.find((step) => step.name === name);
    assert.deepEqual(
      [line('told-a → grogu, besides')?.state, line('told-a → grogu, besides')?.note],
      ['warned', setBack],
    );
    assert.match(line('told-b → grogu, besides')?.note ?? '', /readonly is not on; .*syncoid works on/);
    assert.equal(line('told-b → grogu')?.state, 'failed');
  });

  for (const how of ['cancel', 'terminate'] as const) {
    test(`a run that ends by ${how} while it sends and waits leaves no lease, and the next one goes on`, async () => {
      const limitedPools = [poolAt('grogu', `pool of ${how}`, 2, { stores: ['grogu'] })];
      const keeps = await replicate({ resource: `keeps-${how}`, groups: 1, limitedPools });
      await has(keeps, 1);
      const ends = await replicate({ resource: `ends-${how}`, groups: 3, limitedPools });
      await has(ends, 1);
      await waitsFor(ends, /used by/);
      const next = await replicate({ resource: `next-${how}`, groups: 1, limitedPools });
      await waitsFor(next, /used by/);
      await ends[how]();
      await assert.rejects(ends.result());
      await has(next, 1);
      await holds(2);
      await has(ends, 0);
      assert.equal(await endAll([keeps, next]), 2);
      await nothingIsHeld();
    });
  }

  test('a run that is cancelled before it got any stream leaves all of them with who has them', async () => {
    const limitedPools = [poolAt('grogu', 'full', 1, { stores: ['grogu'] })];
    const keeps = await replicate({ resource: 'keeps-all', groups: 1, limitedPools });
    await has(keeps, 1);
    const waits = await replicate({ resource: 'only-waits', groups: 2, limitedPools });
    await waitsFor(waits, /stream-grogu\.full\.1, used by keeps-all/);
    await waits.cancel();
    await assert.rejects(waits.result());
    assert.equal((await waits.query<RunReport>(queryNames.report)).waitingFor, undefined);
    await holds(1);
    assert.deepEqual(await heldLeases(), ['lease-stream-grogu.full.1']);
    assert.equal(streamsOf(keeps).length, 1);
    await endAll([keeps]);
    await nothingIsHeld();
  });

  test('runs in both directions between two pools with one stream each never wait for each other in a circle', async () => {
    const there = [
      poolAt('din', 'fast', 1, { resources: ['there-1', 'there-2'] }),
      poolAt('grogu', 'fast', 1, { stores: ['grogu'] }),
    ];
    const back = [
      poolAt('grogu', 'fast', 1, { resources: ['back-1', 'back-2'] }),
      poolAt('din', 'fast', 1, { stores: ['din'] }),
    ];
    const runs = await Promise.all([
      replicate({ resource: 'there-1', groups: 2, limitedPools: there }),
      replicate({ resource: 'back-1', groups: 2, limitedPools: back, stores: ['din'], host: 'grogu' }),
      replicate({ resource: 'there-2', groups: 2, limitedPools: there }),
      replicate({ resource: 'back-2', groups: 2, limitedPools: back, stores: ['din'], host: 'grogu' }),
    ]);
    assert.equal(await endAll(runs), 1);
    await nothingIsHeld();
  });

  test('of two stores whose streams come from one pool each gets its turn, and says for itself that it waits', async () => {
    const limitedPools = [poolAt('din', 'bulk', 1, { resources: ['photos'] })];
    const run = await replicate({ resource: 'photos', groups: 1, limitedPools, stores: ['near', 'far'] });
    const photos = 'photos-2026-11-20T03:00:00Z';
    await has(run, 1);
    await waitsFor(run, new RegExp(`^stream-din\\.bulk\\.1, used by ${photos}$`));
    assert.equal(await endAll([run]), 1);
    await nothingIsHeld();
  });

  test('while every stream is taken, what pools have no limit for goes as ever, and a restore waits for nobody', async () => {
    const limitedPools = [poolAt('grogu', 'busy', 1, { stores: ['grogu'] })];
    const keeps = await replicate({ resource: 'keeps-busy', groups: 1, limitedPools });
    await has(keeps, 1);
    const plain = await replicate({ resource: 'plain', groups: 1, stores: ['elsewhere'], limitedPools });
    await has(plain, 1);
    assert.deepEqual(
      streamsOf(plain).map(({ queue }) => queue),
      ['host.din.heavy'],
    );
    groups.set('lost', 1);
    const workflowId = 'restore-2026-11-20T03:00:00Z';
    const restore = await client.workflow.start('sendUrgently', {
      workflowId,
      taskQueue: workflowQueue,
      args: [
        { job: 'restore', run: workflowId, resource: 'lost', store: 'grogu', retryForMs: 1000 },
        limitedPools,
      ],
    });
    await has(restore, 1);
    assert.deepEqual(
      streamsOf(restore).map(({ queue }) => queue),
      ['host.din'],
    );
    for (const { end } of streamsOf(restore)) end();
    assert.equal(await restore.result(), 1);
    await endAll([keeps, plain]);
  });

  test('a restore with many streams leaves slots for the short questions of its host', async () => {
    groups.set('many', 10);
    const workflowId = 'restore-2026-11-20T04:00:00Z';
    const step = { job: 'restore', run: workflowId, resource: 'many', store: 'grogu', retryForMs: 1000 };
    const restore = await client.workflow.start('sendUrgently', {
      workflowId,
      taskQueue: workflowQueue,
      args: [step, [], 16],
    });
    await waitFor(() => streamsOf(restore).length > 0, { timeoutMs, what: 'the first stream' });
    // All that go side by side are begun in one moment.
    const { events } = await restore.fetchHistory();
    const begun = events?.filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'zfsTransferReplicas',
    );
    assert.equal(begun?.length, 4);
    let isOver = false;
    const ended = restore.result().finally(() => {
      isOver = true;
    });
    const endThem = (): boolean => {
      for (const { end } of streamsOf(restore)) end();
      return isOver;
    };
    await waitFor(endThem, { timeoutMs, what: 'the end of the restore' });
    assert.equal(await ended, 10);
  });
});
