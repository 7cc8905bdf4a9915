import type { ChannelFacts, Finding } from '../../contracts/doctor.js';
import { type ErrorCode, errors } from '../../contracts/errors.js';
import { type SilentChannel, wordsOfMessage } from '../silent-channels.js';
import { age, localTimeWithZone } from '../time.js';
import { about, type Teller } from './findings.js';
import { judgeSecret } from './judge-jobs.js';

/** Whether people are told. No run is kept from working by it, so nothing here blocks. Pure. */

/** What the sender has of what it needs; whether a message is taken, only a message shows. */
export function judgeChannel(tell: Teller, { channel, secrets, missingProgram }: ChannelFacts): Finding[] {
  const subject = `channel ${channel}`;
  const bad = secrets.flatMap((secret) =>
    secret.error === undefined
      ? judgeSecret(tell, subject, secret).filter(({ level }) => level !== 'ok')
      : [
          tell.warning(
            `secret ${secret.of} of ${subject}`,
            coded('HF_SECRET_UNAVAILABLE', secret.error),
            nextFor('HF_SECRET_UNAVAILABLE', channel),
          ),
        ],
  );
  if (missingProgram !== undefined) {
    const found = `the program "${missingProgram}" is not there, or may not be run: nobody is told through it`;
    const next = `Install it, or name its path in notifications.${channel}.command; then "holdfast notify ${channel}"`;
    bad.push(tell.warning(subject, coded('HF_TOOL_MISSING', found), next));
  }
  if (bad.length > 0) return bad;
  return [
    tell.ok(subject, `has what it needs here; "holdfast notify ${channel}" shows whether a message is taken`),
  ];
}

/** Why a message has not gone out. */
export interface Why {
  /** Absent when it is not known, or nothing has gone wrong but that it waits. */
  code?: ErrorCode;
  words: string;
  /** What a worker said is to be done, where it knows more than the table. */
  next?: string;
}

export function judgeSilent(silent: SilentChannel, { code, words, next }: Why, now: Date): Finding {
  const { channel, host, state, at } = silent;
  const when = `${localTimeWithZone(at)}, ${age(now.getTime() - at.getTime())} ago`;
  const message = wordsOfMessage(silent);
  const found =
    state === 'failed'
      ? `${message} did not go out and is not tried any more (${when})`
      : `${message} has not gone out and is still tried (since ${when})`;
  const todo =
    code === undefined ? `"holdfast notify ${channel}" tries it now` : nextFor(code, channel, next);
  return about(host).warning(
    `channel ${channel}`,
    `${found}: ${code === undefined ? words : coded(code, words)}`,
    todo,
  );
}

const coded = (code: ErrorCode, words: string): string => `${code}: ${words}`;

/** Always ends with how to see whether it helped: a message that goes through also ends the finding. */
function nextFor(code: ErrorCode, channel: string, said: string = errors[code].next): string {
  const next = said.replaceAll('CHANNEL', channel);
  return next.includes(`holdfast notify ${channel}`)
    ? next
    : `${next}; then try it: "holdfast notify ${channel}"`;
}
