import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import pc from 'picocolors';
import { whyItEnded } from '../../cli/doctor/ask-channels.js';
import { about } from '../../cli/doctor/findings.js';
import { judgeChannel, judgeSilent } from '../../cli/doctor/judge-channels.js';
import { type SilentChannel, silentChannels, type Unsent } from '../../cli/silent-channels.js';
import { statusRow } from '../../cli/status-model.js';
import { statusText } from '../../cli/status-view.js';
import { notificationId, parseNotificationId } from '../../contracts/names.js';
import { configOf } from '../schedules/example.js';

const now = new Date('2026-11-20T12:00:00Z');
const minutesAgo = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);
const run = 'photos-offsite.check-2026-11-20T07:00:00Z';

const config = configOf(
  JSON.stringify({
    hosts: { nas: {}, grogu: {} },
    resources: {},
    stores: {},
    jobs: {},
    notifications: {
      phone: { ntfy: { url: 'https://ntfy.example/x' }, host: 'nas' },
      'phone-test': { ntfy: { url: 'https://ntfy.example/y' }, host: 'grogu' },
    },
  }),
);

/** A message of the channel that ended so many minutes ago, or is still tried. */
const unsent = (channel: string, began: number, ended?: number, event = 'failed'): Unsent => ({
  message: notificationId(run, channel, event),
  startedAt: minutesAgo(began),
  ...(ended !== undefined && { closedAt: minutesAgo(ended) }),
});
const silent = (messages: Unsent[], sent: Record<string, number> = {}): SilentChannel[] =>
  silentChannels(
    config,
    messages,
    new Map(Object.entries(sent).map(([channel, minutes]) => [channel, minutesAgo(minutes)])),
    now,
  );

describe('the name of a message', () => {
  for (const [channel, event, digest] of [
    ['phone', 'failed', ''],
    ['phone', 'question', '4f0c00112233445566778899aabbccddeeff'],
    ['phone', 'test', '6f1c2c3d-8c1b-4a0e-9c0e-1f2e3d4c5b6a'],
    ['phone-test', 'ok', ''],
    ['failed-0123456789abcdef', 'warnings', ''],
    ['a-question', 'question', 'abcdefabcdefabcdef'],
    ['by-hand', 'failed', ''],
  ] as const)
    test(`says channel "${channel}" and event "${event}"${digest && ` beside the digest ${digest}`}`, () => {
      assert.deepEqual(parseNotificationId(notificationId(run, channel, event, digest)), {
        channel,
        event,
        run,
      });
      assert.deepEqual(parseNotificationId(notificationId('by-hand', channel, event, digest)), {
        channel,
        event,
      });
    });

  test('of a job called by-hand is not that of a test, and anything else is none', () => {
    const odd = 'by-hand-2026-11-20T07:00:00Z';
    assert.equal(parseNotificationId(notificationId(odd, 'phone', 'failed'))?.run, odd);
    for (const id of [run, `notify-${run}`, `notify-${run}-phone`, 'notify-phone-failed', 'lease-store-x'])
      assert.equal(parseNotificationId(id), undefined, id);
  });
});

describe('a channel', () => {
  test('is silent when its newest message did not go out, and says which one', () => {
    assert.deepEqual(silent([unsent('phone', 30, 29), unsent('phone', 300, 299, 'ok')]), [
      {
        channel: 'phone',
        host: 'nas',
        state: 'failed',
        message: notificationId(run, 'phone', 'failed'),
        event: 'failed',
        run,
        at: minutesAgo(29),
      },
    ]);
  });

  test('is not any more when a later message went through, of itself and not of another channel', () => {
    const messages = [unsent('phone', 30, 29)];
    assert.deepEqual(silent(messages, { phone: 28 }), []);
    assert.equal(silent(messages, { 'phone-test': 28 }).length, 1);
    assert.equal(silent(messages, { phone: 30 }).length, 1, 'one that went before it proves nothing');
  });

  test('is silent when a message is tried for more than an hour', () => {
    assert.deepEqual(silent([unsent('phone', 59)]), []);
    const [found] = silent([unsent('phone', 61), unsent('phone', 500)]);
    assert.equal(found?.state, 'trying');
    assert.deepEqual(found?.at, minutesAgo(500));
  });

  test('whose message is tried on after another went through is given time for the next attempt, and no more', () => {
    assert.deepEqual(silent([unsent('phone', 300)], { phone: 59 }), []);
    assert.equal(silent([unsent('phone', 300)], { phone: 61 })[0]?.state, 'trying');
  });

  test('that the file does not name any more is of no interest', () => {
    assert.deepEqual(silent([unsent('pager', 30, 29)]), []);
  });
});

describe('status', () => {
  const operation = { job: 'photos', operation: 'backup', main: true, name: 'photos' } as const;
  const view = { colours: pc.createColors(false), terminal: false, columns: 100 } as Parameters<
    typeof statusText
  >[0];
  const lines = (found: SilentChannel[]): string[] => {
    const row = { ...statusRow({ operation }, now), silent: found };
    return statusText(view, [row, { ...row, name: 'photos.check' }], now)
      .split('\n')
      .filter((line) => line.startsWith('channel '));
  };

  test('says it once for each channel, with who says more', () => {
    assert.deepEqual(lines(silent([unsent('phone', 200, 190), unsent('phone-test', 200)])), [
      `channel phone: the message that ${run} failed did not go out, 3 h ago; "holdfast doctor nas" says why, "holdfast notify phone" tries again`,
      `channel phone-test: the message that ${run} failed is tried in vain for 3 h; "holdfast doctor grogu" says why, "holdfast notify phone-test" tries again`,
    ]);
  });
});

describe('the doctor', () => {
  const tell = about('nas');
  const token = { of: 'token', place: 'the file /etc/token' };

  test('names the message, when, the code and the words, and how to try it', () => {
    const [channel] = silent([unsent('phone', 200, 190)]);
    assert(channel);
    const code = 'HF_NOTIFICATION_REFUSED';
    const finding = judgeSilent(channel, { code, words: 'phone: ntfy.example answers 401' }, now);
    assert.equal(finding.level, 'warning');
    assert.equal(finding.host, 'nas');
    assert.equal(finding.subject, 'channel phone');
    assert.match(
      finding.found,
      /photos-offsite\.check-\S+ failed did not go out .*2026-11-20 .*3 h ago\): HF_NOTIFICATION_REFUSED: phone: ntfy\.example answers 401$/,
    );
    assert.match(finding.next, /^Correct the channel .* "holdfast notify phone"$/);
  });

  test('says what to do also where the reason is none of a channel, or not known', () => {
    const [channel] = silent([unsent('phone', 200)]);
    assert(channel);
    const missing = judgeSilent(channel, { code: 'HF_SECRET_UNAVAILABLE', words: 'no' }, now);
    assert.match(missing.next, /; then try it: "holdfast notify phone"$/);
    const unknown = judgeSilent(channel, { words: 'waiting for a worker of host nas' }, now);
    assert.match(unknown.found, /is still tried .*: waiting for a worker of host nas$/);
    assert.match(unknown.next, /holdfast notify phone/);
  });

  test('tells why the last attempt failed and not that a day was over, where both are known', () => {
    const refused = ApplicationFailure.create({
      type: 'HF_NOTIFICATION_FAILED',
      message: 'hook answers 503',
    });
    const late = Object.assign(new Error('late'), { name: 'TimeoutFailure', cause: refused });
    const ended = ApplicationFailure.create({
      type: 'HF_HOST_UNREACHABLE',
      message: 'no answer',
      cause: late,
    });
    assert.deepEqual(whyItEnded(ended), { code: 'HF_NOTIFICATION_FAILED', words: 'hook answers 503' });
    assert.match(whyItEnded(new Error('late')).words, /nobody took it/);
  });

  test('is content with a channel that has all it needs, in one line', () => {
    const [finding, ...more] = judgeChannel(tell, { channel: 'phone', secrets: [token] });
    assert.equal(finding?.level, 'ok');
    assert.deepEqual(more, []);
  });

  test('warns of a secret that cannot be had, of one that everybody can read, and of a program that is missing', () => {
    const [gone] = judgeChannel(tell, { channel: 'phone', secrets: [{ ...token, error: 'is not set' }] });
    assert.equal(gone?.level, 'warning');
    assert.equal(gone?.subject, 'secret token of channel phone');
    assert.match(
      `${gone?.found} ${gone?.next}`,
      /^HF_SECRET_UNAVAILABLE: is not set .*"holdfast notify phone"/,
    );
    const [open] = judgeChannel(tell, { channel: 'phone', secrets: [{ ...token, exposed: 'readable' }] });
    assert.match(
      `${open?.level} ${open?.found}`,
      /^warning everybody on the host can read the file \/etc\/token/,
    );
    const [lost] = judgeChannel(tell, { channel: 'phone', secrets: [], missingProgram: 'apprise' });
    assert.match(`${lost?.level} ${lost?.found}`, /^warning HF_TOOL_MISSING: the program "apprise"/);
    assert.match(lost?.next ?? '', /"holdfast notify phone"/);
  });
});
