import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import type { Temporal } from '../../cli/context.js';
import { examineChannels } from '../../cli/doctor/ask-channels.js';
import { readSilentChannels } from '../../cli/silent-channels.js';
import { loadConfig } from '../../config/load.js';
import type { Finding } from '../../contracts/doctor.js';
import { notificationId, workflowQueue, workflowTypes } from '../../contracts/names.js';
import type { NotifyInput } from '../../contracts/notify.js';
import { type Estate, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { type HttpReceiver, httpReceiver } from '../support/receivers.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';

/** A channel that does not tell is told of: its silence would look like "all is well". */

const secret = 'tk-correct-horse-battery';

describe('a channel whose server refuses', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  let hook: HttpReceiver;
  let temporal: Temporal;
  const keyFile = (): string => join(estate.folder, 'hook.key');
  /** The list of Temporal may be a second behind. */
  const untilSilent = (channels: number): Promise<unknown> =>
    waitFor(async () => (await readSilentChannels(temporal, config(), new Date())).length === channels, {
      timeoutMs: 20_000,
      what: `${channels} silent channels`,
    });
  const config = () => loadConfig(estate.env.HOLDFAST_CONFIG ?? '');
  /** A message as a run sends it: tried as long as its workflow may. */
  const send = async (channel: string, host: string, workflowExecutionTimeout: '1s' | '1m') => {
    const input: NotifyInput = { channel, host, notice: { event: 'test', what: 'x', lines: [] } };
    return estate.client.workflow.start(workflowTypes.notifyPeople, {
      workflowId: notificationId('by-hand', channel, 'test', randomUUID()),
      taskQueue: workflowQueue,
      args: [input],
      workflowExecutionTimeout,
    });
  };
  /** What doctor would say in two hours of a message that is tried until then. */
  const triedInVain = async (): Promise<Finding | undefined> => {
    const inTwoHours = new Date(Date.now() + 7_200_000);
    const [finding] = await waitFor(
      async () => {
        const found = await examineChannels(temporal, config(), undefined, inTwoHours);
        return /attempt \d+ failed/.test(found[0]?.found ?? '') ? found : undefined;
      },
      { timeoutMs: 20_000, what: 'the message to be listed as tried' },
    );
    return finding;
  };
  const ofChannels = async (): Promise<Finding[]> => {
    const { stdout, stderr } = await estate.holdfast('doctor', 'nas', '--json');
    assert(!`${stdout}${stderr}`.includes(secret), 'the secret was shown');
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    return findings.filter(({ subject, level }) => /channel/.test(subject) && level !== 'ok');
  };

  before(async () => {
    hook = await httpReceiver();
    estate = await startEstate({
      change(config) {
        const job = config.jobs['photos-offsite'];
        job.objective = { rpo: '26h' };
        delete job.check;
        delete job.prune;
      },
    });
    writeFileSync(keyFile(), secret, { mode: 0o600 });
    estate.configure((config) => {
      const webhook = { url: `${hook.url}/hook`, headers: { 'X-Key': { file: keyFile() } } };
      config.notifications = { hook: { webhook, on: ['ok', 'failed'] } };
    });
    const { address, namespace } = estate.server;
    const connection = await Connection.connect({ address });
    temporal = { client: new Client({ connection, namespace }), connection, address, namespace };
    writeFileSync(join(estate.source, 'a photo'), 'x');
    assert.equal((await estate.holdfast('init-store', 'vault')).code, 0);
  });
  after(async () => {
    await temporal?.connection.close();
    await estate?.stop();
    await hook?.stop();
  });

  test('is in status, in its --check and, with the words of the refusal, in the doctor', async () => {
    hook.answer = ({ headers }) => ({ status: 401, body: `no such key: ${headers['x-key']}` });
    const run = runIn((await estate.holdfast('run', 'photos-offsite', '--follow')).stdout);
    await untilSilent(1);
    const { code, stdout, stderr } = await estate.holdfast('status', '--check');
    assert.equal(code, 1);
    assert.equal(stderr.trim(), 'holdfast: messages do not go out: hook');
    assert.match(stdout, new RegExp(`^channel hook: the message that ${run} is done did not go out, `, 'm'));
    const [finding, ...more] = await ofChannels();
    assert.deepEqual(more, []);
    assert.equal(`${finding?.host} ${finding?.subject} ${finding?.level}`, 'nas channel hook warning');
    assert.match(
      finding?.found ?? '',
      new RegExp(`${run} is done did not go out .*HF_NOTIFICATION_REFUSED: .*401`),
    );
    assert.match(finding?.next ?? '', /"holdfast notify hook"/);
  });

  test('is forgotten as soon as a message goes through', async () => {
    hook.answer = () => ({ status: 200 });
    assert.equal((await estate.holdfast('notify', 'hook')).code, 0);
    await untilSilent(0);
    const { code, stdout, stderr } = await estate.holdfast('status', '--check');
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout, /^channel /m);
  });

  test('and whose secret is gone is known before anything is to be told', async () => {
    rmSync(keyFile());
    const [finding, ...more] = await ofChannels();
    writeFileSync(keyFile(), secret, { mode: 0o600 });
    assert.deepEqual(more, []);
    assert.equal(finding?.subject, 'secret X-Key of channel hook');
    assert.match(finding?.found ?? '', /HF_SECRET_UNAVAILABLE: .*hook\.key.*ENOENT/);
  });

  test('and whose secret is away for now is tried until it is back; a test by hand says at once why not', async () => {
    rmSync(keyFile());
    hook.received.length = 0;
    const message = await send('hook', 'nas', '1m');
    const finding = await triedInVain();
    assert.match(
      finding?.found ?? '',
      /is still tried .*HF_SECRET_UNAVAILABLE: attempt \d+ failed: .*hook\.key/,
    );
    assert.match(finding?.next ?? '', /Look at the reference in holdfast\.yaml .*"holdfast notify hook"/);
    const byHand = await estate.holdfast('notify', 'hook');
    assert.equal(byHand.code, 1);
    assert.match(byHand.stdout, /^hook: NOT sent: HF_SECRET_UNAVAILABLE: .*hook\.key.*ENOENT/m);
    writeFileSync(keyFile(), secret, { mode: 0o600 });
    await message.result();
    assert.equal(hook.received.length, 1);
    await untilSilent(0);
  });

  test('for now is told with its attempts when it has done so for more than an hour', async () => {
    hook.received.length = 0;
    hook.answer = () => ({ status: 503, body: 'not now' });
    await send('hook', 'nas', '1m');
    await waitFor(() => hook.received.length > 0, { timeoutMs: 20_000, what: 'an attempt' });
    const finding = await triedInVain();
    assert.match(
      finding?.found ?? '',
      /is still tried .*HF_NOTIFICATION_FAILED: attempt \d+ failed: hook: .*503: not now/,
    );
    assert.deepEqual(
      await examineChannels(temporal, config(), undefined, new Date()),
      [],
      'it has only begun',
    );
  });

  test('is said to have been asked in vain where nobody took the message in its time', async () => {
    await send('hook', 'gone', '1s');
    await untilSilent(1);
    const [finding] = await examineChannels(temporal, config(), 'nas', new Date());
    assert.match(finding?.found ?? '', /^a test did not go out .*: nobody took it in its time/);
    assert.match(finding?.next ?? '', /"holdfast notify hook"/);
    assert.deepEqual(await examineChannels(temporal, config(), 'grogu', new Date()), []);
  });
});
