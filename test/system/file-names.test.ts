import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import {
  isUtf8Name,
  nameFromBytes,
  nameFromLatin1,
  nameInJson,
  nameToBytes,
  shownName,
} from '../../system/file-names.js';
import { run } from '../../system/run.js';

const anyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const bytes: [string, Buffer][] = [
  ['Latin-1', Buffer.from('caf\xe9', 'latin1')],
  ['a continuation byte alone', Buffer.from('\x80', 'latin1')],
  ['a character that was cut', Buffer.from('\xe2\x82', 'latin1')],
  ['half an emoji in three bytes', Buffer.from('\xed\xa0\xbd\xed\xb8\x80', 'latin1')],
  ['beyond the last character', Buffer.from('\xf4\x90\x80\x80 \xc0\xaf', 'latin1')],
  ['every byte', anyByte],
  ['real text', Buffer.from('Grüße 😀 \u{1f080} \ufffd')],
];

for (const [what, name] of bytes)
  test(`the bytes of a name come back: ${what}`, () => {
    assert.deepEqual(nameToBytes(nameFromBytes(name)), name);
    assert.equal(nameFromLatin1(name.toString('latin1')), nameFromBytes(name));
  });

test('a name that is text is that text', () => {
  assert.equal(nameFromBytes(Buffer.from('Grüße 😀')), 'Grüße 😀');
  assert(isUtf8Name('Grüße 😀 \u{1f080} \ufffd'));
  assert(!isUtf8Name(nameFromBytes(Buffer.of(0xe9))));
});

test('an odd byte is told as programs in Go tell it in JSON, and shown as a number', () => {
  const name = nameFromBytes(Buffer.from('a\xe2\x82\xffü', 'latin1'));
  assert.equal(nameInJson(name), 'a\ufffd\ufffd\ufffd\ufffd');
  assert.equal(shownName(name), 'a\\xe2\\x82\\xff\\xfc');
});

test('what a program prints comes byte for byte when it is asked so', async () => {
  const lines: string[] = [];
  const command = { file: 'printf', args: ['caf\\351\\n\\200'] };
  await run(command, { bytes: true, onLine: (line) => lines.push(line) });
  assert.deepEqual(lines, ['caf\xe9', '\x80']);
  assert.equal((await run(command, { bytes: true })).stdout, 'caf\xe9\n\x80');
  assert.equal(execFileSync('printf', ['caf\\351'], { encoding: 'latin1' }), 'caf\xe9');
});
