import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { notificationId } from '../../contracts/names.js';
import { type Estate, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { type HttpReceiver, httpReceiver } from '../support/receivers.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';

/** What dies while a message is on its way. Minutes, because a dead attempt is known by its time alone. */

describe('a message that is on its way', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  let hook: HttpReceiver;
  before(async () => {
    hook = await httpReceiver();
    estate = await startEstate({
      change(config) {
        config.notifications = { hook: { webhook: { url: `${hook.url}/hook` } } };
      },
    });
  });
  after(async () => {
    await estate?.stop();
    await hook?.stop();
  });

  test('when its worker is killed goes again, under the same name, until it was taken once', async () => {
    hook.answer = () => ({ status: 0 });
    const run = runIn((await estate.holdfast('run', 'photos-offsite', '--follow')).stdout);
    await waitFor(() => hook.received.length === 1, { timeoutMs: 30_000, what: 'the first attempt' });
    await estate.worker.stop('SIGKILL');
    let taken = 0;
    hook.answer = () => {
      taken += 1;
      return { status: 200 };
    };
    await estate.startWorker();
    const handle = estate.client.workflow.getHandle(notificationId(run, 'hook', 'failed'));
    assert.deepEqual(await handle.result(), { sent: true });
    assert.equal(taken, 1);
    const names = hook.received.map(({ headers }) => headers['idempotency-key']);
    assert.equal(new Set(names).size, 1, names.join(' '));
  });

  test('without a worker, or without an orchestrator, a test says which of them is missing', async () => {
    await estate.worker.stop('SIGKILL');
    const unworked = await estate.holdfast('notify');
    assert.equal(unworked.code, 1);
    assert.match(unworked.stdout, /^hook: NOT sent: HF_HOST_UNREACHABLE: No worker of host nas takes it$/m);
    await estate.orchestrator.stop('SIGKILL');
    const unled = await estate.holdfast('notify');
    assert.equal(unled.code, 1);
    assert.match(unled.stdout, /^hook: NOT sent: HF_TEMPORAL_UNREACHABLE: No orchestrator takes it$/m);
  });
});
