import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createNotifyActivities } from '../../activities/notify/activities.js';
import { attempt } from '../../activities/run.js';
import { parseConfig } from '../../config/load.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Notice } from '../../contracts/notify.js';
import type { Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';
import { type HttpReceiver, httpReceiver, mailReceiver } from '../support/receivers.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** Troubles of the sending host that pass: a message is neither lost by them, nor sent twice, nor said not to have gone out. */

const folder = temporaryFolder('notify-troubles');
const notice: Notice = { event: 'failed', what: 'Do not back up: the disk is full', lines: ['-n "海"'] };
const healthy = localHost({ name: 'nas', stateFolder: join(folder, 'state') });

const full = async (): Promise<never> => {
  throw Object.assign(new Error("ENOSPC: no space left on device, open 'x'"), { code: 'ENOSPC' });
};
const fullHost: Host = { ...healthy, driver: healthy, writeFile: full, appendLine: full, makeFolder: full };
/** No folder can be made in a file, by root neither. */
const file = join(folder, 'file');
writeFileSync(file, '');
const brokenHost = localHost({ name: 'nas', stateFolder: join(file, 'state') });
const unreadableHost: Host = {
  ...healthy,
  driver: healthy,
  exists: async () => true,
  list: async () => Promise.reject(new HoldfastError('HF_FILE_REFUSED', 'EIO')),
};
const troubled: [string, Host][] = [
  ['is full', fullHost],
  ['cannot be made', brokenHost],
  ['cannot be read', unreadableHost],
];

/** An attempt as Temporal makes it. */
function start(channel: object, { host = healthy, id = randomUUID() as string, name = 'it' } = {}) {
  const yaml = JSON.stringify({ hosts: { nas: {}, din: {} }, notifications: { it: channel } });
  const { config, mistakes } = parseConfig(yaml, 'test');
  assert.deepEqual(mistakes, []);
  assert(config);
  const { notifySend } = createNotifyActivities({ host, config: () => config, attempt });
  const environment = new MockActivityEnvironment({ attempt: 1 });
  return { environment, done: environment.run(notifySend, { id, channel: name, notice }) };
}

async function failureOf(...args: Parameters<typeof start>): Promise<ApplicationFailure> {
  const failure = await start(...args).done.then(
    () => assert.fail('it went'),
    (error: unknown) => error,
  );
  assert(failure instanceof ApplicationFailure, String(failure));
  return failure;
}

describe('a message', () => {
  let server: HttpReceiver;
  const webhook = (headers = {}) => ({ host: 'nas', webhook: { url: `${server.url}/hook`, headers } });
  before(async () => {
    server = await httpReceiver();
  });
  after(() => server.stop());

  test('is tried again while the program of its secret fails, and goes when it gives the secret', async () => {
    const secret = join(folder, 'vault answers');
    const channel = webhook({ 'X-Key': { command: ['cat', secret] } });
    const failure = await failureOf(channel, { id: 'secret' });
    assert.equal(`${failure.type} ${failure.nonRetryable}`, 'HF_SECRET_UNAVAILABLE false');
    assert.match(failure.message, /^The command "cat", which should give a secret, failed with 1: .*vault/);
    assert.deepEqual(server.received, []);
    writeFileSync(secret, 'tk-correct-horse');
    assert.deepEqual(await start(channel, { id: 'secret' }).done, { sent: true });
    assert.equal(server.received.splice(0).length, 1);
  });

  test('is tried again where its program is missing, its channel is not in the file, or is of another host', async () => {
    const cases = [
      ['HF_TOOL_MISSING', await failureOf({ host: 'nas', command: ['/no/such/program'] })],
      ['HF_NOT_IN_CONFIG', await failureOf(webhook(), { name: 'itt' })],
      ['HF_NOT_IN_CONFIG', await failureOf({ ...webhook(), host: 'din' })],
    ] as const;
    for (const [code, { type, nonRetryable }] of cases)
      assert.equal(`${type} ${nonRetryable}`, `${code} false`);
  });

  test('that the server refuses for good is not tried again', async () => {
    server.answer = () => ({ status: 401 });
    const { type, nonRetryable } = await failureOf(webhook());
    assert.equal(`${type} ${nonRetryable}`, 'HF_NOTIFICATION_REFUSED true');
    server.answer = () => ({ status: 200 });
    server.received.length = 0;
  });

  test('that is cancelled ends as cancelled', async () => {
    server.answer = () => ({ status: 0 });
    const { environment, done } = start(webhook());
    await waitFor(() => server.received.length > 0, { timeoutMs: 10_000, what: 'the request' });
    environment.cancel();
    await assert.rejects(done, CancelledFailure);
    server.answer = () => ({ status: 200 });
    server.received.length = 0;
  });

  for (const [trouble, host] of troubled)
    describe(`of a host whose state folder ${trouble}`, () => {
      test('goes once over HTTP, and counts as sent', async () => {
        assert.deepEqual(await start(webhook(), { host }).done, { sent: true });
        assert.equal(server.received.splice(0).length, 1);
      });

      test('goes once by mail, and counts as sent', async (t) => {
        const mails = await mailReceiver();
        t.after(() => mails.stop());
        const smtp = { host: '127.0.0.1', port: mails.port, tls: 'none' };
        const mail = { smtp, from: 'holdfast@example.org', to: ['me@example.org'] };
        assert.deepEqual(await start({ host: 'nas', mail }, { host }).done, { sent: true });
        assert.equal(mails.mails.length, 1);
      });

      test('goes once by a command, with its text', async () => {
        const got = join(folder, 'got');
        const command = ['sh', '-c', `cat >> '${got}'; echo "|$TEXT|" >> '${got}'`];
        assert.deepEqual(await start({ host: 'nas', command }, { host }).done, { sent: true });
        const text = readFileSync(got, 'utf8');
        rmSync(got);
        assert.match(text, /^Do not back up: the disk is full\n/);
        assert.match(text, /-n "海"/);
        assert.equal(text.split('the disk is full').length, 2, 'it went twice');
        assert.match(text, /\n\|\|\n$/, 'a variable of ours reached the program');
      });
    });

  test('goes to a program that reads nothing of it', async () => {
    const mark = join(folder, 'mark');
    const long = { ...notice, lines: Array.from({ length: 2_000 }, (_, at) => `line ${at} of many`) };
    const { config } = parseConfig(
      JSON.stringify({ hosts: { nas: {} }, notifications: { it: { command: ['touch', mark] } } }),
      'test',
    );
    assert(config);
    const { notifySend } = createNotifyActivities({ host: healthy, config: () => config, attempt });
    const input = { id: 'unread', channel: 'it', notice: long };
    assert.deepEqual(await new MockActivityEnvironment().run(notifySend, input), { sent: true });
    assert(existsSync(mark));
  });
});
