import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TarEntry, tarReader } from '../../system/tar-stream.js';

function header(name: string, type: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write(size.toString(8).padStart(11, '0'), 124);
  block.write('        ', 148);
  block.write(type, 156);
  block.write('ustar\0' + '00', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

const filled = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);

function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function read(stream: Buffer, pieceBytes: number): TarEntry[] {
  const entries: TarEntry[] = [];
  const reader = tarReader((entry) => void entries.push(entry));
  for (let from = 0; from < stream.length; from += pieceBytes)
    reader.write(stream.subarray(from, from + pieceBytes));
  reader.end();
  return entries;
}

const value = Buffer.from([0, 10, 0x3d, 255, 32]);
const pax = Buffer.concat([
  record('path', Buffer.from('long/Grüße\nname')),
  record('SCHILY.xattr.user.bin', value),
]);
const stream = Buffer.concat([
  header('folder/', '5', 0),
  header('pax', 'x', pax.length),
  filled(pax),
  header('short', '0', 700),
  // What a file holds may look like the end of the stream, or like a header.
  filled(Buffer.concat([Buffer.alloc(600), Buffer.alloc(100, 'x')])),
  header('plain', '0', 0),
  Buffer.alloc(1024),
]);

test('entries and the bytes of their attributes come out, in whatever pieces the stream arrives', () => {
  for (const pieceBytes of [1, 7, 511, 512, 513, stream.length]) {
    const entries = read(stream, pieceBytes);
    assert.deepEqual(
      entries.map(({ path }) => path),
      ['folder/', 'long/Grüße\nname', 'plain'],
    );
    assert.deepEqual(entries[1]?.records.get('SCHILY.xattr.user.bin'), value);
    assert.equal(entries[2]?.records.size, 0, 'they belong to one entry only');
  }
});

test('a stream that stops in the middle, or holds something else, is an error', () => {
  assert.throws(() => read(stream.subarray(0, stream.length - 1024), 512), /ended in the middle/);
  assert.throws(() => read(Buffer.alloc(512, 'x'), 512), /not whole/);
  assert.throws(() => read(Buffer.alloc(0), 512), /ended in the middle/);
});
