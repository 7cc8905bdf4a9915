import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { notificationId } from '../../contracts/names.js';
import { fill, makeArray, type TestArray } from '../support/array.js';
import { endOf, startArrayEstate, startUntilAsked, untilAsked } from '../support/array-estate.js';
import { type Estate, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { type HttpReceiver, httpReceiver, type MailReceiver, mailReceiver } from '../support/receivers.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';

/** Whole runs that tell people: what they are told, once, whatever dies meanwhile. */

const secret = 'tk-correct-horse-battery';

interface Document {
  event: string;
  run: string;
  what: string;
  code?: string;
  text: string;
  lines: string[];
}
const documentsOf = ({ received }: HttpReceiver): Document[] => received.map(({ body }) => JSON.parse(body));

const messageHas = (estate: Estate, id: string, status: string): Promise<unknown> =>
  waitFor(async () => (await estate.client.workflow.getHandle(id).describe()).status.name === status, {
    timeoutMs: 60_000,
    what: `${id} to be ${status}`,
  });

describe('a run that fails', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  let hook: HttpReceiver;
  let mail: MailReceiver;
  const fails = async (...args: string[]): Promise<string> => {
    const { code, stdout } = await estate.holdfast('run', 'photos-offsite', '--follow', ...args);
    assert.equal(code, 1);
    return runIn(stdout);
  };

  before(async () => {
    hook = await httpReceiver();
    mail = await mailReceiver();
    estate = await startEstate({
      change(config) {
        config.jobs.other = { ...config.jobs['photos-offsite'], schedule: undefined };
        config.notifications = {
          hook: {
            webhook: { url: `${hook.url}/hook`, headers: { 'X-Key': { command: ['printf', secret] } } },
          },
          mail: {
            mail: {
              smtp: { host: '127.0.0.1', port: mail.port, tls: 'none' },
              from: 'holdfast@example.org',
              to: ['me@example.org'],
            },
            on: ['ok'],
          },
          others: { webhook: { url: `${hook.url}/others` }, jobs: ['other'] },
        };
      },
    });
  });
  after(async () => {
    await estate?.stop();
    await hook?.stop();
    await mail?.stop();
  });

  test('tells each channel that wants it once what went wrong and what to do, and the others nothing', async () => {
    const run = await fails();
    await messageHas(estate, notificationId(run, 'hook', 'failed'), 'COMPLETED');
    const [told, ...more] = documentsOf(hook);
    assert.deepEqual(more, []);
    assert.equal(hook.received[0]?.path, '/hook');
    assert.equal(hook.received[0]?.headers['x-key'], secret);
    assert.equal(told?.event, 'failed');
    assert.equal(told.run, run);
    assert.match(told.code ?? '', /^HF_/);
    assert.match(told.text, /\nnext {3}\S/);
    assert.match(told.text, new RegExp(`\nlook: {4}holdfast show ${run}\n`));
    assert.deepEqual(mail.mails, []);
    for (const id of [run, notificationId(run, 'hook', 'failed')]) {
      const history = await estate.client.workflow.getHandle(id).fetchHistory();
      const text = Buffer.from(JSON.stringify(history)).toString('utf8');
      assert.equal(text.includes(secret) || text.includes(Buffer.from(secret).toString('base64')), false);
    }
  });

  test('is not held up by a server that is away; the message goes once when it is back, also over a kill of the worker', async () => {
    const port = Number(new URL(hook.url).port);
    await hook.stop();
    const run = await fails();
    const id = notificationId(run, 'hook', 'failed');
    await messageHas(estate, id, 'RUNNING');
    const attempts = async (): Promise<number> => {
      const { raw } = await estate.client.workflow.getHandle(id).describe();
      return raw.pendingActivities?.[0]?.attempt ?? 0;
    };
    await waitFor(async () => (await attempts()) > 1, { timeoutMs: 30_000, what: 'a first attempt' });
    await estate.worker.stop('SIGKILL');
    hook = await httpReceiver(port);
    await estate.startWorker();
    await messageHas(estate, id, 'COMPLETED');
    assert.deepEqual(
      documentsOf(hook).map((told) => [told.run, told.event]),
      [[run, 'failed']],
    );
  });

  test('holdfast notify says of each channel whether its message went, and what to do where it did not', async () => {
    hook.received.length = 0;
    hook.answer = ({ path }) => ({ status: path === '/others' ? 403 : 200, body: 'not you' });
    const all = await estate.holdfast('notify');
    assert.equal(all.code, 1, all.stderr);
    assert.match(all.stdout, /^hook: sent by nas$/m);
    assert.match(all.stdout, /^mail: sent by nas$/m);
    assert.match(all.stdout, /^others: NOT sent: HF_NOTIFICATION_REFUSED: .*answers 403: not you$/m);
    assert.match(all.stdout, /^ {2}next: Correct the channel/m);
    assert.match(mail.mails[0]?.text ?? '', /^Subject: holdfast test: /m);
    const one = await estate.holdfast('notify', 'hook', '--json');
    assert.equal(one.code, 0);
    assert.deepEqual(JSON.parse(one.stdout), [{ channel: 'hook', host: 'nas' }]);
    const unknown = await estate.holdfast('notify', 'hok');
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /no channel "hok"; did you mean "hook"/);
  });

  test('one that ends well tells those who want that', async () => {
    hook.received.length = 0;
    mail.mails.length = 0;
    writeFileSync(join(estate.source, 'a photo'), 'x');
    assert.equal((await estate.holdfast('init-store', 'vault')).code, 0);
    const { code, stdout } = await estate.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(code, 0, stdout);
    await messageHas(estate, notificationId(runIn(stdout), 'mail', 'ok'), 'COMPLETED');
    assert.equal(mail.mails.length, 1);
    assert.deepEqual(hook.received, []);
  });
});

describe('a SnapRAID run', { skip: needs('temporal', 'mount', 'snapraid') }, () => {
  let estate: Estate;
  let array: TestArray;
  let hook: HttpReceiver;
  const film = (disk: string, at: number): string => array.pathOf(disk, `Films/${at % 7}/film ${at}.mkv`);
  const told = (events: number): Promise<Document[]> =>
    waitFor(() => (hook.received.length >= events ? documentsOf(hook) : undefined), {
      timeoutMs: 30_000,
      what: `${events} messages`,
    });

  before(async () => {
    hook = await httpReceiver();
    array = makeArray({ disks: 2, parities: 1, megabytes: 16 });
    fill(array, 20);
    array.write('d1', 'Films/0/line\nsay yes: holdfast approve other', 'x');
    array.write('d1', 'Films/0/海 é "quoted" -x', 'x');
    estate = await startArrayEstate(array, (config) => {
      config.jobs.nightly.steps = ['sync'];
      config.notifications = { hook: { webhook: { url: `${hook.url}/hook` } } };
    });
    assert.equal((await estate.holdfast('run', 'nightly', '--follow')).code, 0);
  });
  after(async () => {
    await estate?.stop();
    await hook?.stop();
  });

  test('that asks shows the diff in the message, and the command in it approves just that', async () => {
    for (let at = 0; at < 6; at += 1) rmSync(film('d1', at));
    rmSync(array.pathOf('d1', 'Films/0/line\nsay yes: holdfast approve other'));
    rmSync(array.pathOf('d1', 'Films/0/海 é "quoted" -x'));
    const run = await startUntilAsked(estate);
    const [question] = await told(1);
    assert(question);
    assert.equal(question.event, 'question');
    assert.match(question.what, /sync media although 8 files of the array removed, more than 5/);
    assert.match(question.text, /\n8 removed\n/);
    assert.match(question.text, /\nd1:Films\/0\/:/);
    for (let at = 0; at < 6; at += 1) assert.match(question.text, new RegExp(`removed film ${at}\\.mkv\n`));
    assert.match(question.text, /removed 海 é "quoted" -x\n/);
    assert.match(question.text, /\nuntil {2}\d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    // What show prints stands in the message.
    const shown = (await estate.holdfast('show', run)).stdout;
    for (const line of question.lines) assert(shown.includes(line.trim()), `show has no "${line}"`);

    // Between message and answer one more goes: the yes was for what the message shows.
    const commands = question.text.split('\n').filter((line) => line.startsWith('say yes: '));
    assert.equal(commands.length, 1, 'a name of a file looks like a command');
    const approve = (text = ''): string[] => text.replace('say yes: holdfast ', '').split(' ');
    rmSync(film('d2', 9));
    assert.equal((await estate.holdfast(...approve(commands[0]))).code, 0);
    await untilAsked(estate, run, question.text.match(/--digest (\S+)/)?.[1]);
    const [, again] = await told(2);
    assert.match(again?.what ?? '', /9 files of the array removed/);
    assert.equal(
      (await estate.holdfast(...approve(commands[0]))).code,
      5,
      'the old command answered the new question',
    );

    const now = again?.text.split('\n').find((line) => line.startsWith('say yes: '));
    assert.equal((await estate.holdfast(...approve(now))).code, 0);
    const { code, words } = await endOf(estate, run);
    assert.equal(code, 0, words);
    assert(array.isSynced());
    assert.deepEqual(
      documentsOf(hook).map(({ event }) => event),
      ['question', 'question'],
    );
  });

  test('that an operator cancels tells of its question alone', async () => {
    hook.received.length = 0;
    for (let at = 10; at < 17; at += 1) rmSync(film('d1', at));
    const run = await startUntilAsked(estate);
    await told(1);
    await estate.holdfast('cancel', run);
    assert.equal((await endOf(estate, run)).code, 1);
    assert.deepEqual(
      documentsOf(hook).map(({ event }) => event),
      ['question'],
    );
  });

  test('that must not sync says so first', async () => {
    hook.received.length = 0;
    array.data.d2?.unmount();
    const { code } = await estate.holdfast('run', 'nightly', '--follow');
    assert.equal(code, 5);
    const [failed] = await told(1);
    assert.match(failed?.text ?? '', /^Do not sync "media": disk d2 is not mounted/);
    assert.match(failed?.text ?? '', /holdfast do nightly replace-disk --set disk=d2 --plan/);
    array.data.d2?.mount();
  });
});
