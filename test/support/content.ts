import { createCipheriv, createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

/** Numbers in [0, 1) that are the same for the same seed (mulberry32): Math.random would make failures unrepeatable. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes that neither compress nor repeat, fast (a cipher's key stream). */
export function noise(size: number, seed: number): Buffer {
  const key = createHash('sha256').update(`noise ${seed}`).digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  return cipher.update(Buffer.alloc(size));
}

const words =
  'tide kelp rock holdfast frond urchin otter swell reef drift anchor north harbour 海 ß žluť 🪸'.split(' ');

/** Words in lines, UTF-8, exactly `size` bytes (the last character may be cut, as in a truncated file). */
export function text(size: number, seed: number): Buffer {
  const next = seeded(seed);
  const lines: string[] = [];
  for (let length = 0; length < Math.min(size, 65_536); ) {
    const line = Array.from({ length: 9 }, () => words[Math.floor(next() * words.length)]).join(' ');
    lines.push(`${line}\n`);
    length += line.length + 1;
  }
  return Buffer.alloc(size, Buffer.from(lines.join('')));
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}

/** A PNG that a viewer opens: grey noise, 256 pixels wide, of about `size` bytes. */
export function pngImage(size: number, seed: number): Buffer {
  const width = 256;
  const height = Math.max(1, Math.round((size - 80) / (width + 1)));
  const pixels = noise(height * (width + 1), seed);
  // Each row begins with its filter; 0 is "none".
  for (let row = 0; row < height; row += 1) pixels[row * (width + 1)] = 0;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(8, 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const body = deflateSync(pixels, { level: 0 });
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', body),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
