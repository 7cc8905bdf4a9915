import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { JobInput, RunReport, RunResult } from '../../contracts/jobs.js';
import { hostQueue, leaseId, queryNames, updateNames, workflowQueue } from '../../contracts/names.js';
import type { ReplicationLook, ReplicationStepInput } from '../../contracts/replication.js';
import type { RetentionReport, RetentionStepInput, SnapshotStepInput } from '../../contracts/zfs.js';
import { createLog } from '../../system/log.js';
import { bundle } from '../../workers/bundle.js';
import { installRuntime } from '../../workers/runtime.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';
import { startTestServer, type TestServer } from '../support/temporal-server.js';
import { waitFor } from '../support/wait.js';
import { provedLook } from '../support/zfs-trees.js';

const skip = needs('temporal');
const timeoutMs = 20_000;

describe('the steps that procedures share, on a real server', { skip }, () => {
  let server: TestServer;
  let worker: Worker;
  let running: Promise<void>;
  let native: NativeConnection;
  let connection: Connection;
  let client: Client;
  let bundled: string;
  const journal: string[] = [];
  const putBackFails = new Set<string>();

  before(async () => {
    installRuntime(createLog('test', 'fatal'));
    server = await startTestServer();
    bundled = join(temporaryFolder(), 'bundle.js');
    await bundle(fileURLToPath(new URL('./small-workflows.js', import.meta.url)), bundled);
    native = await NativeConnection.connect({ address: server.address });
    worker = await Worker.create({
      connection: native,
      namespace: server.namespace,
      taskQueue: workflowQueue,
      workflowBundle: { codePath: bundled },
      activities: {
        note: async (line: string) => void journal.push(line),
        change: async (thing: string) => void journal.push(`change ${thing}`),
        putBack: async (thing: string) => {
          if (putBackFails.has(thing)) throw new Error(`cannot put ${thing} back`);
          journal.push(`put back ${thing}`);
        },
      },
    });
    running = worker.run();
    connection = await Connection.connect({ address: server.address });
    client = new Client({ connection, namespace: server.namespace });
  });

  after(async () => {
    worker?.shutdown();
    await running;
    await connection?.close();
    await native?.close();
    await server?.stop();
  });

  const start = (type: string, workflowId: string, ...args: unknown[]): Promise<WorkflowHandle> =>
    client.workflow.start(type, { workflowId, taskQueue: workflowQueue, args });
  const reportOf = (handle: WorkflowHandle): Promise<RunReport> => handle.query<RunReport>(queryNames.report);
  const holds = (handle: WorkflowHandle) =>
    waitFor(async () => (await reportOf(handle)).steps.some(({ name }) => name === 'holding'), {
      timeoutMs,
      what: `${handle.workflowId} to hold its leases`,
    });
  const waitsFor = (handle: WorkflowHandle, words: string) =>
    waitFor(async () => (await reportOf(handle)).waitingFor?.includes(words), {
      timeoutMs,
      what: `${handle.workflowId} to wait for ${words}`,
    });
  const causeOf = async (handle: WorkflowHandle): Promise<Error | undefined> => {
    const error = await handle.result().then(
      () => assert.fail('it did not fail'),
      (failed: unknown) => failed,
    );
    assert(error instanceof WorkflowFailedError);
    return error.cause;
  };

  test('who finds a lease taken shows for whom it waits, and gets it when it is released', async () => {
    const first = await start('useLeases', 'first-2026-11-20T03:00:00Z', ['photos']);
    await holds(first);
    const second = await start('useLeases', 'second-2026-11-20T03:00:00Z', ['photos']);
    await waitsFor(second, 'photos, used by first-2026-11-20T03:00:00Z');
    await first.signal('go');
    assert.equal(await first.result(), 'done');
    await holds(second);
    assert.equal((await reportOf(second)).waitingFor, undefined);
    await second.signal('go');
    assert.equal(await second.result(), 'done');
    await waitFor(
      async () => (await client.workflow.getHandle(leaseId('photos')).describe()).status.name !== 'RUNNING',
      {
        timeoutMs,
        what: 'the lease to end with its last holder',
      },
    );
  });

  for (const end of ['cancel', 'terminate'] as const) {
    test(`a lease is handed over when its holder ends by ${end}`, async () => {
      const first = await start('useLeases', `holder-${end}`, [`thing-${end}`]);
      await holds(first);
      const second = await start('useLeases', `waiter-${end}`, [`thing-${end}`]);
      await waitsFor(second, `holder-${end}`);
      await first[end]();
      await holds(second);
      await second.signal('go');
      assert.equal(await second.result(), 'done');
    });
  }

  test('many who wait all get their turn, one at a time', async () => {
    const all = await Promise.all(
      Array.from({ length: 6 }, (_, index) => start('useLeases', `many-${index}`, ['busy'])),
    );
    const left = new Set(all);
    while (left.size > 0) {
      const holding = await waitFor(
        async () => {
          const reports = await Promise.all(
            [...left].map(async (handle) => ({ handle, report: await reportOf(handle) })),
          );
          const having = reports.filter(({ report }) => report.steps.some(({ name }) => name === 'holding'));
          assert(having.length <= 1, 'two hold the same lease');
          return having[0]?.handle;
        },
        { timeoutMs, what: 'the next one to hold the lease' },
      );
      await holding.signal('go');
      assert.equal(await holding.result(), 'done');
      left.delete(holding);
    }
  });

  test('two runs that want the same leases in another order do not wait for each other for ever', async () => {
    const pairs = [
      ['alpha', 'beta'],
      ['beta', 'alpha'],
    ];
    const handles = await Promise.all(
      pairs.map((leases, index) => start('useLeases', `crossed-${index}`, leases)),
    );
    for (const handle of handles) await handle.signal('go');
    assert.deepEqual(await Promise.all(handles.map((handle) => handle.result())), ['done', 'done']);
  });

  test('who takes all leases at once holds none of them while it waits for one', async () => {
    const asks = await start('useAnyLease', 'restore-asks', ['copies.1', 'copies.2']);
    await holds(asks);
    const prune = await start('useLeasesAtOnce', 'prune-waits', ['vault', 'copies.1', 'copies.2']);
    await waitsFor(prune, 'copies.1, used by restore-asks');
    const backup = await start('useLeases', 'backup-beside', ['vault']);
    await holds(backup);
    await asks.signal('go');
    assert.equal(await asks.result(), 'done');
    await waitsFor(prune, 'vault, used by backup-beside');
    const next = await start('useAnyLease', 'next-restore', ['copies.1', 'copies.2']);
    await holds(next);
    for (const run of [next, backup]) {
      await run.signal('go');
      assert.equal(await run.result(), 'done');
    }
    await holds(prune);
    assert.equal((await reportOf(prune)).waitingFor, undefined);
    await prune.signal('go');
    assert.equal(await prune.result(), 'done');
  });

  const holdsBranch = (handle: WorkflowHandle, name: string, state = 'running') =>
    waitFor(
      async () =>
        (await reportOf(handle)).steps.some(
          (line) => line.name === `holding ${name}` && line.state === state,
        ),
      { timeoutMs, what: `${handle.workflowId} to have the branch ${name} ${state}` },
    );
  const branch = (name: string, ...leases: string[]) => ({ name, leases });

  test('a branch gives its leases back when it has ended, however long the others of its run go on', async () => {
    const check = await start('useLeasesApart', 'check-both', [
      branch('near', 'near', 'near-read'),
      branch('far', 'far', 'far-read'),
    ]);
    await holdsBranch(check, 'near');
    await holdsBranch(check, 'far');
    const backup = await start('useLeases', 'backup-near', ['near']);
    await waitsFor(backup, 'near, used by check-both');
    await check.signal('endBranch', 'near');
    await holds(backup);
    assert.equal((await check.describe()).status.name, 'RUNNING');
    // The one that goes on has lost nothing by it.
    const other = await start('useLeases', 'backup-far', ['far']);
    await waitsFor(other, 'far, used by check-both');
    await check.signal('endBranch', 'far');
    await Promise.all([backup.signal('go'), other.signal('go')]);
    assert.deepEqual(await Promise.all([check, backup, other].map((run) => run.result())), [
      'done',
      'done',
      'done',
    ]);
  });

  test('branches that wait at the same time are all told, and one that gets its lease leaves the words of the others', async () => {
    const holders = await Promise.all(
      ['one', 'two'].map((store) => start('useLeases', `holder-of-${store}`, [`store-${store}`])),
    );
    await Promise.all(holders.map(holds));
    const run = await start('useLeasesApart', 'waits-twice', [
      branch('one', 'store-one'),
      branch('two', 'store-two'),
    ]);
    const both = 'store-one, used by holder-of-one; store-two, used by holder-of-two';
    await waitFor(
      async () => {
        const { waitingFor = '' } = await reportOf(run);
        return waitingFor.split('; ').sort().join('; ') === both;
      },
      { timeoutMs, what: 'both waits to be told' },
    );
    const [one, two] = holders as [WorkflowHandle, WorkflowHandle];
    await one.signal('go');
    await holdsBranch(run, 'one');
    assert.equal((await reportOf(run)).waitingFor, 'store-two, used by holder-of-two');
    await run.signal('endBranch', 'all');
    await holdsBranch(run, 'one', 'done');
    assert.equal((await reportOf(run)).waitingFor, 'store-two, used by holder-of-two');
    await two.signal('go');
    assert.equal(await run.result(), 'done');
    assert.equal((await reportOf(run)).waitingFor, undefined);
  });

  test('a run that is cancelled while one branch works and another waits gives back what it has, and says no more that it waits', async () => {
    const holder = await start('useLeases', 'keeps-away', ['away']);
    await holds(holder);
    const run = await start('useLeasesApart', 'cancelled-apart', [
      branch('here', 'here'),
      branch('away', 'away'),
    ]);
    await holdsBranch(run, 'here');
    await waitsFor(run, 'away, used by keeps-away');
    await run.cancel();
    assert((await causeOf(run)) instanceof CancelledFailure);
    assert.equal((await reportOf(run)).waitingFor, undefined);
    const next = await start('useLeases', 'next-here', ['here']);
    await holds(next);
    for (const left of [holder, next]) {
      await left.signal('go');
      assert.equal(await left.result(), 'done');
    }
  });

  test('two runs that hold one store each and want the one of the other both end, and so do those that wait beside them', async () => {
    const gate = await start('useLeases', 'crossing-gate', ['crossed-gate']);
    await holds(gate);
    // Each holds a resource all the time, as backups do. The gate keeps the first from the store that the second is to have.
    const stores = (...more: string[]) => [branch('x', 'crossed-x'), branch('y', 'crossed-y', ...more)];
    const first = await start('useLeasesApart', 'crossing-1', stores('crossed-gate'), ['crossed-photos']);
    await holdsBranch(first, 'x');
    const second = await start('useLeasesApart', 'crossing-2', stores(), ['crossed-notes']);
    await holdsBranch(second, 'y');
    await gate.signal('go');
    await waitsFor(first, 'crossed-y, used by crossing-2');
    await waitsFor(second, 'crossed-x, used by crossing-1');
    // One of an older version, which takes all stores in turn and keeps them, and retention.
    const older = await start('useLeases', 'crossing-3', ['crossed-music', 'crossed-x', 'crossed-y']);
    const prune = await start('useLeasesApart', 'crossing-4', [
      branch('x', 'crossed-copies', 'crossed-x', 'crossed-x-read'),
      branch('y', 'crossed-y', 'crossed-y-read'),
    ]);
    await waitsFor(older, 'crossed-x, used by crossing-1');
    await waitsFor(prune, 'crossed-y, used by crossing-2');
    for (const run of [first, second, prune]) await run.signal('endBranch', 'all');
    await older.signal('go');
    const all = [gate, first, second, older, prune];
    assert.deepEqual(new Set(await Promise.all(all.map((run) => run.result()))), new Set(['done']));
  });

  test('a replica that is proved is free while the run still waits for another target', async () => {
    const isHeld = async (store: string): Promise<boolean> =>
      (await client.workflow.getHandle(leaseId(`replica-db.${store}`)).describe()).status.name === 'RUNNING';
    let comeBack = (): void => undefined;
    const back = new Promise<void>((resolve) => {
      comeBack = resolve;
    });
    const host = await Worker.create({
      connection: native,
      namespace: server.namespace,
      taskQueue: hostQueue('mando'),
      activities: {
        zfsLookAtReplicas: async ({ store }: ReplicationStepInput): Promise<ReplicationLook> => {
          if (store === 'far') await back;
          return provedLook;
        },
      },
    });
    const result = await host.runUntil(async () => {
      const input: JobInput = {
        job: 'replica',
        operation: 'replicate',
        sources: [{ resource: 'db', host: 'mando' }],
        stores: ['far', 'near'],
        limits: { retryForMs: 1000, giveUpAfterMs: 60_000, deadHostAfterMs: 60_000 },
      };
      const run = await start('replicateDatasets', 'replica-2026-11-20T03:00:00Z', input);
      await waitFor(async () => (await reportOf(run)).steps.some(({ state }) => state === 'done'), {
        timeoutMs,
        what: 'the replica that is there',
      });
      await waitFor(async () => !(await isHeld('near')), { timeoutMs, what: 'its lease to be given back' });
      assert.equal(await isHeld('far'), true);
      comeBack();
      return run.result() as Promise<RunResult>;
    });
    assert.deepEqual([result.outcome, result.restorePoint], ['ok', '2026-11-20T03:00:00.000Z']);
  });

  test('of several leases that are all taken, the first that comes free is enough', async () => {
    const places = ['place.1', 'place.2'];
    const [first, second] = await Promise.all(
      places.map((_, at) => start('useAnyLease', `takes-a-place-${at}`, places)),
    );
    assert(first && second);
    await Promise.all([holds(first), holds(second)]);
    const third = await start('useAnyLease', 'wants-a-place', places);
    await waitsFor(third, 'used by takes-a-place');
    await second.signal('go');
    await holds(third);
    for (const run of [first, third]) {
      await run.signal('go');
      assert.equal(await run.result(), 'done');
    }
  });

  for (const order of ['the backup comes first', 'the restore comes first'] as const) {
    test(`a restore in place, a backup and retention do not wait for each other in a circle: ${order}`, async () => {
      const name = order.replaceAll(' ', '-');
      // In this order of names, whoever held the store while he waits for the copies would close the circle.
      const [photos, store, read, copies] = ['1-photos', '2-store', '3-read', '4-copies'].map(
        (lease) => `${lease}-${name}`,
      ) as [string, string, string, string];
      const restore = await start('useAnyThenOthers', `restore-${name}`, [copies], [photos, read]);
      await holds(restore);
      const prune = await start('useLeasesAtOnce', `prune-${name}`, [store, read, copies]);
      await waitsFor(prune, copies);
      const startBackup = () => start('useLeases', `backup-${name}`, [photos, store]);
      const early = order === 'the backup comes first' ? await startBackup() : undefined;
      if (early) await holds(early);
      await restore.signal('go');
      if (early) await waitsFor(restore, `${photos}, used by backup-${name}`);
      const backup = early ?? (await startBackup());
      await backup.signal('go');
      await prune.signal('go');
      const all = [restore, backup, prune];
      assert.deepEqual(await Promise.all(all.map((run) => run.result())), ['done', 'done', 'done']);
    });
  }

  test('a run that is cancelled while it waits ends, and leaves the lease with its holder', async () => {
    const first = await start('useLeases', 'keeps-it', ['kept']);
    await holds(first);
    const second = await start('useLeases', 'gives-up', ['kept']);
    await waitsFor(second, 'keeps-it');
    await second.cancel();
    assert((await causeOf(second)) instanceof CancelledFailure);
    const lease = await client.workflow.getHandle(leaseId('kept')).describe();
    assert.equal(lease.status.name, 'RUNNING');
    await first.signal('go');
    assert.equal(await first.result(), 'done');
  });

  for (const type of ['useLeases', 'useLeasesAtOnce', 'useAnyLease', 'useLeasesApart']) {
    test(`a run that is cancelled while it asks for whom it waits ends as cancelled: ${type}`, async () => {
      const [lease, queue] = [`taken-${type}`, `later-${type}`];
      const holder = await start('useLeases', `has-${type}`, [lease]);
      await holds(holder);
      const asks = type === 'useLeasesApart' ? [branch('one', lease)] : [lease];
      const run = await client.workflow.start(type, {
        workflowId: `asks-${type}`,
        taskQueue: queue,
        args: [asks],
      });
      // Known before its first step: it is in no wait that the cancellation could end.
      await run.cancel();
      const late = await Worker.create({
        connection: native,
        namespace: server.namespace,
        taskQueue: queue,
        workflowBundle: { codePath: bundled },
      });
      const cause = await late.runUntil(async () => {
        await waitFor(async () => (await run.describe()).status.name !== 'RUNNING', {
          timeoutMs,
          what: `${run.workflowId} to end`,
        }).catch(async (error: unknown) => {
          await run.terminate();
          throw error;
        });
        return causeOf(run);
      });
      assert(cause instanceof CancelledFailure);
      const { historyLength } = await run.describe();
      assert(historyLength < 40, `${historyLength} events`);
      await holder.signal('go');
      assert.equal(await holder.result(), 'done');
    });
  }

  test('who is cancelled while it asks whether another run goes on ends as cancelled', async () => {
    const run = await client.workflow.start('asksForAnother', {
      workflowId: 'asks-for-another',
      taskQueue: workflowQueue,
    });
    assert((await causeOf(run)) instanceof CancelledFailure);
  });

  test('former states are put back after success, last change first', async () => {
    journal.length = 0;
    assert.equal(await (await start('changeThings', 'undo-well', 'well')).result(), 'done');
    assert.deepEqual(journal, [
      'change first',
      'change second',
      'body ended',
      'put back second',
      'put back first',
    ]);
  });

  test('former states are put back after a failure, and the failure is what is told', async () => {
    journal.length = 0;
    const cause = await causeOf(await start('changeThings', 'undo-badly', 'badly'));
    assert.equal(cause?.message, 'it broke in the middle');
    assert.deepEqual(journal, ['change first', 'change second', 'put back second', 'put back first']);
  });

  test('former states are put back after cancellation, and the run ends as cancelled', async () => {
    journal.length = 0;
    const hanging = await start('changeThings', 'undo-cancel', 'hang');
    await waitFor(async () => (await reportOf(hanging)).steps.length > 0, {
      timeoutMs,
      what: 'both changes',
    });
    await hanging.cancel();
    assert((await causeOf(hanging)) instanceof CancelledFailure);
    assert.deepEqual(journal, ['change first', 'change second', 'put back second', 'put back first']);
  });

  test('one thing that cannot be put back does not keep the others from it, and is told', async () => {
    journal.length = 0;
    putBackFails.add('second');
    const handle = await start('changeThings', 'undo-half', 'well');
    const cause = await causeOf(handle);
    putBackFails.clear();
    assert.match(String((cause?.cause as Error | undefined)?.message), /cannot put second back/);
    assert.deepEqual(journal.slice(-1), ['put back first']);
  });

  test('an approval counts only for what was shown', async () => {
    const handle = await start('askFirst', 'ask-digest', { digest: 'abc', withinMs: 60_000 });
    await waitsFor(handle, 'delete everything');
    await assert.rejects(
      handle.executeUpdate(updateNames.approve, { args: [{ digest: 'other', by: 'anna' }] }),
    );
    assert.equal(
      await handle.executeUpdate(updateNames.approve, { args: [{ digest: 'abc', by: 'anna' }] }),
      'approved',
    );
    assert.equal(await handle.result(), 'approved by anna');
  });

  test('a no, and no answer in time, are refusals with their reason', async () => {
    const denied = await start('askFirst', 'ask-denied', { digest: 'abc', withinMs: 60_000 });
    await waitsFor(denied, 'delete everything');
    await denied.executeUpdate(updateNames.deny, {
      args: [{ digest: 'abc', by: 'anna', note: 'wrong disk' }],
    });
    const no = await causeOf(denied);
    assert(no instanceof ApplicationFailure);
    assert.equal(no.type, 'HF_NOT_APPROVED');
    assert.match(no.message, /anna said no: wrong disk/);
    const silent = await causeOf(await start('askFirst', 'ask-silent', { digest: 'abc', withinMs: 500 }));
    assert(silent instanceof ApplicationFailure);
    assert.match(silent.message, /Nobody answered in time/);
  });

  test('what runs of replication hold is let go only for those that have ended, and both rounds are counted', async () => {
    const still = await start('useLeases', 'copy-2026-11-20T03:00:00Z', ['db']);
    await holds(still);
    const gone = 'copy-2026-11-19T03:00:00Z';
    const asked: SnapshotStepInput[] = [];
    const host = await Worker.create({
      connection: native,
      namespace: server.namespace,
      taskQueue: hostQueue('din'),
      activities: {
        zfsRetainSnapshots: async (step: RetentionStepInput): Promise<RetentionReport> => {
          asked.push(step);
          const report = { kept: 5, removed: 2, reasons: {}, warnings: [] };
          if (step.endedRuns) return { ...report, holdingRuns: [still.workflowId] };
          const lost = { remarks: ['2 are gone'], warnings: ['the pool is short', '2 are gone'] };
          return { ...report, ...lost, holdingRuns: [still.workflowId, gone] };
        },
      },
    });
    const step = { job: 'hourly', run: 'hourly-2026-11-20T04:00:00Z', resources: ['db'], retryForMs: 1000 };
    const report = await host.runUntil(async () => (await start('retainKnowing', step.run, step)).result());
    assert.deepEqual(asked, [step, { ...step, endedRuns: [gone] }]);
    const { removed, warnings } = report as RetentionReport;
    assert.deepEqual([removed, warnings], [4, ['2 are gone']]);
    await still.signal('go');
    await still.result();
  });

  test('a failover whose very first part is refused begins with no other one: all of it is put back', async () => {
    const begun = async (id: string, ...how: [string, string]): Promise<unknown> =>
      (await start('finishParts', `finish-${id}`, ...how)).result();
    assert.deepEqual(await begun('first', 'vms', 'HF_FAILOVER_REFUSED'), [
      'vms',
      'vms is not ready; also: photos was not begun; also: db was not begun',
    ]);
    // Once something is in use over there, or half of it, the rest follows.
    assert.deepEqual(await begun('half', 'vms', 'HF_TOOL_FAILED'), [
      'vms',
      'photos',
      'db',
      'vms is not ready',
    ]);
    assert.deepEqual(await begun('second', 'photos', 'HF_FAILOVER_REFUSED'), [
      'vms',
      'photos',
      'db',
      'photos is not ready',
    ]);
  });

  test('two failovers of a resource to two stores wait for each other', async () => {
    const leases = async (store: string): Promise<string[]> =>
      (await start('failoverLeases', `leases-${store}`, store, ['vms', 'db'])).result() as Promise<string[]>;
    const [here, there] = [await leases('grogu'), await leases('offsite')];
    assert.deepEqual(
      here.filter((lease) => there.includes(lease)),
      ['failover-vms', 'failover-db'],
    );
    assert.equal(here.length, 4);
  });
});
