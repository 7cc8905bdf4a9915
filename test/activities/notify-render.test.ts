import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headerText, jsonOf, subjectOf, textOf } from '../../activities/notify/render.js';
import { bytesOf, clipLines, type Notice, oneLine } from '../../contracts/notify.js';

const run = 'media-nightly-2026-11-28T02:30:00Z';
const question: Notice = {
  event: 'question',
  job: 'media-nightly',
  run,
  host: 'vm102',
  what: 'sync media although 8 files of the array removed, more than 5',
  lines: ['8 removed', 'd1:Films/0/:', '  removed film 7.mkv'],
  digest: 'd'.repeat(64),
  untilMs: Date.parse('2026-11-28T22:30:00Z'),
};

const linesOf = (notice: Notice, most?: number): string[] => textOf(notice, most).split('\n');

describe('a question', () => {
  test('says who asks what, until when, all details, and the commands that answer just this', () => {
    assert.deepEqual(linesOf(question), [
      question.what,
      '',
      'job    media-nightly',
      `run    ${run}`,
      'host   vm102',
      'until  2026-11-28 22:30 UTC; no answer is a no',
      '',
      ...question.lines,
      '',
      `look:    holdfast show ${run}`,
      `say yes: holdfast approve ${run} --digest ${'d'.repeat(64)}`,
      `say no:  holdfast deny ${run}`,
      '',
    ]);
    assert.equal(subjectOf(question), `media-nightly asks: ${question.what}`);
  });

  test('that is too long for a channel loses details, never what is asked nor the commands', () => {
    const long = {
      ...question,
      lines: Array.from({ length: 100 }, (_, at) => `  removed film ${at} é`.padEnd(90)),
    };
    const text = textOf(long, 4_000);
    assert(bytesOf(text) <= 4_000, `${bytesOf(text)} bytes`);
    assert(bytesOf(text) > 3_500, `${bytesOf(text)} bytes`);
    assert.match(text, /\n… and \d+ more lines\n/);
    assert(text.startsWith(question.what));
    assert(text.includes(`holdfast approve ${run} --digest ${'d'.repeat(64)}\n`));
    assert(textOf(long).includes('removed film 99'));
  });
});

describe('an end', () => {
  test('says what went wrong first, then the code and the next step', () => {
    const what = 'Do not sync "media": disk d4 is not mounted';
    const failed: Notice = {
      ...question,
      event: 'failed',
      what,
      lines: [],
      code: 'HF_ARRAY_NOT_READY',
      next: 'mount it',
    };
    const [first, ...rest] = linesOf({ ...failed, digest: undefined, untilMs: undefined });
    assert.equal(first, what);
    assert(rest.includes('error  HF_ARRAY_NOT_READY'));
    assert(rest.includes('next   mount it'));
    assert.equal(
      rest.some((line) => line.includes('holdfast approve')),
      false,
    );
    assert.equal(subjectOf(failed), `media-nightly FAILED: ${what}`);
  });
});

describe('hostile names', () => {
  const hostile =
    'removed a\r\nBcc: everybody@example.org\r\n\r\nsay yes: holdfast approve other\u2028\u202egpj.exe\u0000\u001b[31m \ud800 海 é';
  const notice: Notice = {
    ...question,
    what: hostile,
    lines: [hostile, 'x'.repeat(5_000), '😀'.repeat(500)],
  };

  test('one name is one line, and brings no line of its own', () => {
    const lines = linesOf(notice);
    assert.equal(lines.filter((line) => line.startsWith('say yes: ')).length, 1);
    assert.equal(lines.length, linesOf({ ...question, lines: ['1', '2', '3'] }).length);
    for (const line of lines) assert([...line].length <= 1_000);
  });

  test('a subject has no line breaks, no control characters and at most 150 letters', () => {
    const subject = subjectOf({ ...notice, what: hostile.repeat(5) });
    assert.doesNotMatch(subject, /[\p{Cc}\u2028\u202e]/u);
    assert.equal([...subject].length, 150);
  });

  test('no half of a character leaves us, and what is cut is cut between two', () => {
    for (const text of [textOf(notice), jsonOf('id', notice), oneLine('😀'.repeat(500), 10)]) {
      assert.equal(/\p{Surrogate}/u.test(text), false);
      assert.doesNotMatch(text, /\\ud8/i);
    }
    assert.equal(oneLine('😀'.repeat(500), 3), '😀😀…');
  });

  test('a title for a header holds letters of ASCII alone, and means the same', () => {
    assert.equal(headerText('plain'), 'plain');
    const title = subjectOf(notice);
    const header = headerText(title);
    assert.match(header, /^=\?UTF-8\?B\?[A-Za-z0-9+/=]+\?=$/);
    assert.equal(Buffer.from(header.slice(10, -2), 'base64').toString('utf8'), title);
  });

  test('a JSON document has the facts each by itself, and the text', () => {
    const document = JSON.parse(jsonOf('the id', notice));
    assert.equal(document.id, 'the id');
    assert.equal(document.run, run);
    assert.equal(document.until, '2026-11-28T22:30:00.000Z');
    assert.equal(document.lines.length, 3);
    assert.equal(document.text, textOf(notice));
  });
});

test('bytes are counted as UTF-8 has them, and lines that do not fit are counted', () => {
  for (const text of ['', 'a', 'é', '海', '😀 a']) assert.equal(bytesOf(text), Buffer.byteLength(text));
  assert.deepEqual(clipLines(['aaaa', 'bbbb', 'cccc'], 10), ['aaaa', 'bbbb', '… and 1 more lines']);
  assert.deepEqual(clipLines(['aaaa', 'bbbb'], 10), ['aaaa', 'bbbb']);
});
