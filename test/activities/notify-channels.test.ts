import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { notify } from '../../activities/notify/driver.js';
import { parseConfig } from '../../config/load.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Notice } from '../../contracts/notify.js';
import { localHost } from '../../system/local-host.js';
import { redact } from '../../system/redact.js';
import { type HttpReceiver, httpReceiver, mailReceiver } from '../support/receivers.js';
import { temporaryFolder } from '../support/temp.js';

/** Each channel against a real server of its kind on loopback. */

const folder = temporaryFolder('notify');
const host = localHost({ name: 'nas', stateFolder: join(folder, 'state') });
const secret = 'tk-correct-horse-battery';
const tokenFile = join(folder, 'token');
writeFileSync(tokenFile, `${secret}\n`);
const notice: Notice = {
  event: 'failed',
  job: 'photos',
  run: 'photos-2026-11-28T02:30:00Z',
  what: 'Größe: the repository is gone\r\nBcc: everybody@example.org',
  lines: ['-rf "quoted" $(touch x)', '海'],
  code: 'HF_STORE_UNREACHABLE',
};

/** Through one channel, as the worker of nas would; each call is a message of its own unless it is given an id. */
async function send(channel: object, { id = randomUUID() as string, host: by = 'nas', name = 'it' } = {}) {
  const yaml = JSON.stringify({
    hosts: { nas: {}, din: {} },
    notifications: { it: { host: by, ...channel } },
  });
  const { config, mistakes } = parseConfig(yaml, 'test');
  assert.deepEqual(mistakes, []);
  assert(config);
  const signal = AbortSignal.timeout(60_000);
  return notify({ host, config, signal }, { id, channel: name, notice });
}

const refusedWith = (code: string, words: RegExp) => (error: unknown) => {
  assert(error instanceof HoldfastError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, words);
  assert.doesNotMatch(error.message, new RegExp(secret), 'a secret in an error');
  assert.doesNotMatch(error.message, /\n/);
  return true;
};
const refused = (words: RegExp) => refusedWith('HF_NOTIFICATION_REFUSED', words);
const failed = (words: RegExp) => refusedWith('HF_NOTIFICATION_FAILED', words);

describe('over HTTP', () => {
  let server: HttpReceiver;
  let other: HttpReceiver;
  const ntfy = () => ({ ntfy: { url: `${server.url}/backups`, token: { file: tokenFile } } });
  before(async () => {
    server = await httpReceiver();
    other = await httpReceiver();
  });
  after(async () => {
    await server.stop();
    await other.stop();
  });

  test('ntfy gets title, priority, token and text, and the same name in every attempt', async () => {
    await send(ntfy(), { id: 'one' });
    const [got] = server.received.splice(0);
    assert(got);
    assert.equal(got.path, '/backups');
    assert.equal(got.headers.authorization, `Bearer ${secret}`);
    assert.equal(got.headers.priority, 'high');
    assert.match(String(got.headers['x-sequence-id']), /^[0-9a-f]{32}$/);
    const title = Buffer.from(String(got.headers.title).slice(10, -2), 'base64').toString('utf8');
    assert.equal(title, 'photos FAILED: Größe: the repository is gone  Bcc: everybody@example.org');
    assert.match(got.body, /^Größe: the repository is gone {2}Bcc/);
    assert.match(got.body, /\n海\n/);
    assert.match(got.body, /holdfast show photos-2026-11-28T02:30:00Z\n$/);
  });

  test('a message that was sent is not sent again', async () => {
    assert.deepEqual(await send(ntfy(), { id: 'twice' }), { sent: true });
    assert.deepEqual(await send(ntfy(), { id: 'twice' }), { sent: false });
    assert.equal(server.received.splice(0).length, 1);
  });

  test('a webhook gets one JSON document, with its own headers by reference', async () => {
    await send({
      webhook: {
        url: { command: ['printf', `${server.url}/hook?key=${secret}`] },
        headers: { 'X-Key': { file: tokenFile } },
      },
    });
    const [got] = server.received.splice(0);
    assert(got);
    assert.equal(got.headers['x-key'], secret);
    const document = JSON.parse(got.body);
    assert.equal(document.event, 'failed');
    assert.equal(document.code, 'HF_STORE_UNREACHABLE');
    assert.deepEqual(document.lines, notice.lines);
    assert.doesNotMatch(got.body, new RegExp(secret));
  });

  test('401 is refused for good, and the words of the server are told without the token', async () => {
    server.answer = ({ headers }) => ({ status: 401, body: `no such token:\n${headers.authorization}` });
    await assert.rejects(
      send(ntfy()),
      refused(/it: 127\.0\.0\.1:\d+ answers 401: no such token: Bearer \*\*\*/),
    );
  });

  for (const status of [500, 503, 429, 408])
    test(`${status} is tried again, and then it goes`, async () => {
      server.answer = () => ({ status, body: 'busy' });
      await assert.rejects(
        send(ntfy(), { id: `busy ${status}` }),
        failed(new RegExp(`answers ${status}: busy`)),
      );
      server.answer = () => ({ status: 200 });
      server.received.length = 0;
      assert.deepEqual(await send(ntfy(), { id: `busy ${status}` }), { sent: true });
      assert.equal(server.received.length, 1);
    });

  test('a redirect is not followed: the token is for one server alone', async () => {
    server.answer = () => ({ status: 308, headers: { location: `${other.url}/backups` } });
    await assert.rejects(send(ntfy()), refused(/sends us to 127\.0\.0\.1:\d+, which is not followed/));
    assert.deepEqual(other.received, []);
  });

  test('a server that takes connections and says nothing is given up, and tried again', async () => {
    server.answer = () => ({ status: 0 });
    const { config } = parseConfig(
      JSON.stringify({ hosts: { nas: {} }, notifications: { it: { ntfy: { url: `${server.url}/x` } } } }),
      'test',
    );
    assert(config);
    const hang = AbortSignal.timeout(300);
    await assert.rejects(notify({ host, config, signal: hang }, { id: 'hang', channel: 'it', notice }));
    const { post } = await import('../../system/http.js');
    const request = { url: `${server.url}/x`, headers: {}, body: '' };
    await assert.rejects(post(request, 200, AbortSignal.timeout(60_000)), failed(/no answer within 0\.2 s/));
  });

  test('an answer without end is not read to its end', async () => {
    server.answer = () => ({ status: 404, body: 'x'.repeat(5_000_000) });
    await assert.rejects(send(ntfy()), refused(/answers 404: x{50}/));
  });

  test('where nobody listens it is tried again, and nothing but the host of the address is told', async () => {
    const gone = await httpReceiver();
    await gone.stop();
    const url = join(folder, 'gone.url');
    writeFileSync(url, `${gone.url}/services/T0/B0/wxyz`);
    await assert.rejects(
      send({ webhook: { url: { file: url } } }),
      failed(/^127\.0\.0\.1:\d+ does not answer: ECONNREFUSED$/),
    );
    assert.equal(redact('at /services/T0/B0/wxyz it'), 'at *** it');
  });

  test('an address by reference that is none is refused in words', async () => {
    await assert.rejects(
      send({ webhook: { url: { command: ['printf', 'file:///etc/shadow'] } } }),
      refused(/no http/),
    );
    await assert.rejects(
      send({ webhook: { url: { file: join(folder, 'nothing') } } }),
      refusedWith('HF_SECRET_UNAVAILABLE', /nothing/),
    );
  });
});

describe('by mail', () => {
  const mail = (port: number, more: object = {}) => ({
    mail: {
      smtp: { host: '127.0.0.1', port, tls: 'none', ...more },
      from: 'holdfast@example.org',
      to: ['me@example.org', 'you@example.org'],
    },
  });

  test('all get it, with a subject of one line and no header from a name', async () => {
    const server = await mailReceiver();
    await send(mail(server.port), { id: 'mail' });
    await server.stop();
    const [got] = server.mails;
    assert(got);
    assert.deepEqual(got.to, ['me@example.org', 'you@example.org']);
    const [head = '', ...body] = got.text.split('\r\n\r\n');
    assert.doesNotMatch(head, /^Bcc:/im);
    assert.match(head, /^Subject: =\?UTF-8\?/m);
    assert.match(head, /^Message-ID: <[0-9a-f]{32}@holdfast>\r$/m);
    const encoded = body.join('\r\n\r\n');
    const isBase64 = /^Content-Transfer-Encoding: base64\r?$/m.test(head);
    const text = isBase64
      ? Buffer.from(encoded, 'base64').toString('utf8')
      : Buffer.from(
          encoded
            .replaceAll('=\r\n', '')
            .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
          'latin1',
        ).toString('utf8');
    assert.match(text, /^Größe/);
    assert.match(text, /\$\(touch x\)/);
  });

  test('a wrong password is refused for good, and not told', async () => {
    const server = await mailReceiver({
      allowInsecureAuth: true,
      authOptional: false,
      onAuth: (_auth, _session, done) => done(new Error(`Invalid login ${secret}`)),
    });
    const login = { user: 'me', password: { file: tokenFile } };
    await assert.rejects(send(mail(server.port, login)), refused(/refuses: .*Invalid login \*\*\*/));
    await server.stop();
  });

  for (const [responseCode, expected] of [
    [550, refused(/no such mailbox/)],
    [451, failed(/no such mailbox/)],
  ] as const)
    test(`${responseCode} ${responseCode < 500 ? 'is tried again' : 'is refused for good'}`, async () => {
      const server = await mailReceiver({
        onRcptTo: (_address, _session, done) =>
          done(Object.assign(new Error('no such mailbox'), { responseCode })),
      });
      await assert.rejects(send(mail(server.port)), expected);
      assert.deepEqual(server.mails, []);
      await server.stop();
    });

  test('a server without STARTTLS gets nothing where it is asked for', async () => {
    const server = await mailReceiver();
    await assert.rejects(send(mail(server.port, { tls: 'starttls' })), (error: HoldfastError) =>
      /^HF_NOTIFICATION_/.test(error.code),
    );
    assert.deepEqual(server.mails, []);
    await server.stop();
  });

  test('where no server listens it is tried again', async () => {
    const server = await mailReceiver();
    await server.stop();
    await assert.rejects(send(mail(server.port)), failed(/ECONNREFUSED/));
  });
});

describe('by a command', () => {
  const script = join(folder, 'a program');
  const write = (body: string): void => {
    writeFileSync(script, `#!/bin/sh\n${body}\n`);
    chmodSync(script, 0o755);
  };

  test('it gets the text on its standard input, the rest in variables, and its arguments as they are', async () => {
    const got = join(folder, 'got');
    write(
      `{ cat; echo "$HOLDFAST_SUBJECT|$HOLDFAST_EVENT|$HOLDFAST_JOB|$HOLDFAST_RUN|$#|$1|$SECRET"; } > '${got}'`,
    );
    process.env.SECRET = secret;
    await send({ command: [script, '-b "x" $(y)'] });
    const text = readFileSync(got, 'utf8');
    assert.match(text, /^Größe: the repository/);
    assert.match(text, /\$\(touch x\)/);
    assert.match(
      text,
      /\nphotos FAILED: Größe.*\|failed\|photos\|photos-2026-11-28T02:30:00Z\|1\|-b "x" \$\(y\)\|\n$/,
    );
    assert.deepEqual(
      readdirSync(join(folder, 'state/notifications')).filter((name) => !name.endsWith('.sent')),
      [],
    );
  });

  test('one that fails is tried again with its last words, and one that is not there is told', async () => {
    write('cat > /dev/null; echo "no network" >&2; exit 3');
    await assert.rejects(send({ command: [script] }), failed(/the program failed: exit 3: no network/));
    await assert.rejects(
      send({ command: ['/no/such/program'] }),
      refusedWith('HF_TOOL_MISSING', /no\/such\/program/),
    );
  });
});

test('a channel that this host does not know, or that is of another host, is refused', async () => {
  await assert.rejects(
    send({ command: ['true'] }, { name: 'itt' }),
    refusedWith('HF_NOT_IN_CONFIG', /no notification channel "itt"/),
  );
  await assert.rejects(
    send({ command: ['true'] }, { host: 'din' }),
    refusedWith('HF_NOT_IN_CONFIG', /is of the host "din"/),
  );
});
