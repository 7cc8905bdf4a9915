import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createHostQuestions } from '../../activities/host/questions.js';
import { openUndos, recordFormerState } from '../../activities/host/undo.js';
import { answer } from '../../activities/run.js';
import { HoldfastError } from '../../contracts/errors.js';
import { hostQueue, signalNames, workflowQueue } from '../../contracts/names.js';
import { undoRequest } from '../../contracts/undo.js';
import { localHost } from '../../system/local-host.js';
import { createLog } from '../../system/log.js';
import { bundle } from '../../workers/bundle.js';
import { putBackLeftovers } from '../../workers/leftovers.js';
import { installRuntime } from '../../workers/runtime.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';
import { startTestServer } from '../support/temporal-server.js';

test('a worker that starts puts back what a terminated run left changed, and leaves a running one alone', {
  skip: needs('temporal'),
}, async () => {
  installRuntime(createLog('test', 'fatal'));
  const folder = temporaryFolder();
  const host = localHost({ name: 'nas', stateFolder: folder });
  const server = await startTestServer();
  const native = await NativeConnection.connect({ address: server.address });
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection, namespace: server.namespace });
  const codePath = join(folder, 'bundle.js');
  await bundle(fileURLToPath(new URL('./small-workflows.js', import.meta.url)), codePath);
  let asked = 0;
  const paused = (name: string) => join(folder, `${name}.paused`);
  const putBack = {
    container: async (_: unknown, what: string, former: Record<string, unknown>) => {
      assert.deepEqual(former, { state: 'running' });
      if (what === 'container:broken')
        throw new HoldfastError('HF_NOT_IN_CONFIG', 'it is not there any more');
      if (what === 'container:late' && ++asked < 3)
        throw new HoldfastError('HF_TOOL_FAILED', 'the daemon of the containers is not up yet');
      writeFileSync(join(folder, `${what.slice('container:'.length)}.resumed`), '');
    },
  };
  const shared = { connection: native, namespace: server.namespace };
  const workers = await Promise.all([
    Worker.create({ ...shared, taskQueue: workflowQueue, workflowBundle: { codePath } }),
    Worker.create({
      ...shared,
      taskQueue: hostQueue('nas'),
      activities: createHostQuestions({ host, answer, putBack }),
    }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  try {
    const runs = { gone: 'gone-2026-11-20T03:00:00Z', alive: 'alive-2026-11-20T03:00:00Z' };
    for (const [name, workflowId] of Object.entries(runs)) {
      await client.workflow.start('useLeases', { workflowId, taskQueue: workflowQueue, args: [[name]] });
      writeFileSync(paused(name), '');
      await recordFormerState(host, workflowId, `container:${name}`, { state: 'running' });
    }
    await recordFormerState(host, 'never-2026-11-20T03:00:00Z', 'container:forgotten', { state: 'running' });
    await client.workflow.getHandle(runs.gone).terminate('somebody pressed the button');
    await putBackLeftovers(client, 'nas');
    const result = await client.workflow.getHandle('undo-nas').result();
    assert.deepEqual(result, {
      putBack: ['container:forgotten of never-2026-11-20T03:00:00Z', `container:gone of ${runs.gone}`],
    });
    assert.equal(existsSync(join(folder, 'gone.resumed')), true);
    assert.equal(existsSync(join(folder, 'alive.resumed')), false);
    assert.deepEqual(
      (await openUndos(host)).map(({ run }) => run),
      [runs.alive],
    );
    // Safe to do again: nothing is left to put back.
    await putBackLeftovers(client, 'nas');
    assert.deepEqual(await client.workflow.getHandle('undo-nas').result(), { putBack: [] });
    // What only has to be waited for is waited for, and keeps nothing else of its run stopped.
    const late = 'late-2026-11-20T03:00:00Z';
    for (const what of ['container:late', 'container:behind'])
      await recordFormerState(host, late, what, { state: 'running' });
    await putBackLeftovers(client, 'nas');
    assert.deepEqual(await client.workflow.getHandle('undo-nas').result(), {
      putBack: [`container:behind of ${late}`, `container:late of ${late}`],
    });
    assert.equal(asked, 3);
    // Who asks for it by hand hears at once what is wrong, also while it is tried again and again.
    asked = -1000;
    await recordFormerState(host, 'later-2026-11-20T03:00:00Z', 'container:late', { state: 'running' });
    await putBackLeftovers(client, 'nas');
    const byHand = await client.workflow.signalWithStart('undoLeftovers', {
      ...undoRequest('nas').options,
      args: [{ host: 'nas' }],
      signal: signalNames.tryNow,
    });
    await assert.rejects(byHand.result(), /Workflow execution failed/);
    asked = 0;
    await putBackLeftovers(client, 'nas');
    await client.workflow.getHandle('undo-nas').result();
    // What cannot be put back for one run keeps no other's container stopped, and is not forgotten.
    await recordFormerState(host, 'other-2026-11-20T03:00:00Z', 'container:waiting', { state: 'running' });
    await recordFormerState(host, 'stuck-2026-11-20T03:00:00Z', 'container:broken', { state: 'running' });
    await putBackLeftovers(client, 'nas');
    await assert.rejects(client.workflow.getHandle('undo-nas').result());
    assert.equal(existsSync(join(folder, 'waiting.resumed')), true);
    assert.deepEqual(
      (await openUndos(host)).map(({ what }) => what),
      ['container:broken', 'container:alive'],
    );
  } finally {
    for (const worker of workers) worker.shutdown();
    await running;
    await connection.close();
    await native.close();
    await server.stop();
  }
});
