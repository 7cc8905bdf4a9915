import type { Notice } from '../../contracts/notify.js';
import { boundNotice, bytesOf, clipLines, oneLine } from '../../contracts/notify.js';

/** What people read. Pure. */

/** One line, for the subject of a mail and the title on a telephone. */
export function subjectOf(notice: Notice): string {
  const { job, what } = boundNotice(notice);
  return oneLine(`${job ?? 'holdfast'} ${eventWords(notice)}: ${what}`, 150);
}

function eventWords({ event }: Notice): string {
  switch (event) {
    case 'question':
      return 'asks';
    case 'failed':
      return 'FAILED';
    case 'warnings':
      return 'done with warnings';
    case 'ok':
      return 'done';
    case 'test':
      return 'test';
  }
}

/** The whole message. What is to be done stands after the details and is never cut off: the details are. */
export function textOf(notice: Notice, mostBytes = 16_000): string {
  const bound = boundNotice(notice);
  const before = [bound.what, '', ...headLines(bound)];
  const after = commandLines(bound);
  const taken = bytesOf([...before, '', '', ...after].join('\n'));
  // The line that says how many are left out needs room as well.
  const details = clipLines(bound.lines, Math.max(0, mostBytes - taken - 40));
  const parts = [before, ...(details.length > 0 ? [details] : []), ...(after.length > 0 ? [after] : [])];
  return `${parts.map((part) => part.join('\n').trimEnd()).join('\n\n')}\n`;
}

function headLines({ job, run, host, code, next, untilMs }: Notice): string[] {
  const facts: [string, string | undefined][] = [
    ['job', job],
    ['run', run],
    ['host', host],
    ['until', untilMs === undefined ? undefined : `${utc(untilMs)}; no answer is a no`],
    ['error', code],
    ['next', next],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(6)} ${value}`]));
}

/** As they are typed: the yes is for just what this message shows. */
export function commandLines({ event, run, digest }: Notice): string[] {
  if (run === undefined) return [];
  const look = `look:    holdfast show ${run}`;
  if (event !== 'question') return [look];
  const bound = digest === undefined ? '' : ` --digest ${digest}`;
  return [look, `say yes: holdfast approve ${run}${bound}`, `say no:  holdfast deny ${run}`];
}

const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** For programs: the facts each by itself, and the text for those that only pass it on. */
export function jsonOf(id: string, notice: Notice): string {
  const { event, what, lines, job, run, host, code, next, digest, untilMs } = boundNotice(notice);
  return JSON.stringify({
    v: 1,
    id,
    event,
    job,
    run,
    host,
    what,
    lines,
    code,
    next,
    digest,
    until: untilMs === undefined ? undefined : new Date(untilMs).toISOString(),
    subject: subjectOf(notice),
    text: textOf(notice),
  });
}

/** A header of HTTP holds no letters but those of ASCII: what ntfy decodes is the form of mail (RFC 2047). */
export const headerText = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
