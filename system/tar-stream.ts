import { fileURLToPath } from 'node:url';
import { nameFromBytes } from './file-names.js';
import type { Command } from './host.js';

/** Reads the headers of a tar stream and skips what the files hold. Pure but for the program that it names. */

/** What an entry says about itself beyond the old header: pax records, as bytes. */
export interface TarEntry {
  /** As it stands in the archive; bytes that are no UTF-8 as in file-names.ts. */
  path: string;
  records: Map<string, Buffer>;
}

const blockBytes = 512;
/** Far more than the system allows for the attributes of one file; a longer header is no header. */
const mostHeaderBytes = 64 * 2 ** 20;

/** Prints a line of JSON for every entry that has attributes: GNU tar lists their names and lengths, and never their values. */
export const tarAttributesCommand = (): Command => ({
  file: process.execPath,
  args: [fileURLToPath(new URL('./tar-attributes.js', import.meta.url))],
});

/** Feed it the stream in pieces of any size; `end` throws when the stream stopped in the middle. */
export function tarReader(onEntry: (entry: TarEntry) => void) {
  let pending: Buffer = Buffer.alloc(0);
  let skipBytes = 0;
  let records = new Map<string, Buffer>();
  let ended = false;

  const takeHeader = ({ header, type, size }: Header): void => {
    if (type === 'x') {
      records = paxRecords(pending.subarray(blockBytes, blockBytes + size));
      skipBytes = blockBytes + padded(size);
      return;
    }
    const path = records.get('path') ?? oldPath(header);
    const bytes = Number(records.get('size') ?? size);
    if (type !== 'g') onEntry({ path: nameFromBytes(path), records });
    records = new Map();
    // Links, folders and devices have no content, whatever their size says.
    skipBytes = blockBytes + (/[1-6]/.test(type) ? 0 : padded(bytes));
  };
  const skip = (): void => {
    const skipped = Math.min(skipBytes, pending.length);
    skipBytes -= skipped;
    pending = pending.subarray(skipped);
  };

  return {
    write(piece: Buffer): void {
      if (ended) return;
      pending = pending.length > 0 ? Buffer.concat([pending, piece]) : piece;
      skip();
      while (skipBytes === 0 && pending.length >= blockBytes && !ended) {
        const header = readHeader(pending.subarray(0, blockBytes));
        if (header.type === 'x' && pending.length < blockBytes + header.size) return;
        if (header.type === 'end') ended = true;
        else takeHeader(header);
        skip();
      }
    },
    end(): void {
      if (!ended) throw new Error('the tar stream ended in the middle');
    },
  };
}

interface Header {
  header: Buffer;
  /** A letter of the format, or "end" for the block of zeros that closes a stream. */
  type: string;
  size: number;
}

function readHeader(header: Buffer): Header {
  if (header.every((byte) => byte === 0)) return { header, type: 'end', size: 0 };
  checkSum(header);
  const type = String.fromCharCode(header[156] ?? 0);
  const size = numberAt(header, 124, 12);
  if (type === 'x' && size > mostHeaderBytes) throw new Error('a header of the tar stream is too long');
  return { header, type, size };
}

const padded = (bytes: number): number => Math.ceil(bytes / blockBytes) * blockBytes;

/** Octal text, or binary with the highest bit set for what octal cannot hold. */
function numberAt(header: Buffer, from: number, length: number): number {
  const field = header.subarray(from, from + length);
  if (((field[0] ?? 0) & 0x80) === 0)
    return Number.parseInt(field.toString('latin1').replace(/[\0 ]+/g, '') || '0', 8);
  return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, (field[0] ?? 0) & 0x7f);
}

/** The sum counts its own field as spaces. Without the check a shifted stream would be read as nonsense, and found equal. */
function checkSum(header: Buffer): void {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (sum !== numberAt(header, 148, 8)) throw new Error('the tar stream holds a header that is not whole');
}

function oldPath(header: Buffer): Buffer {
  const text = (from: number, length: number): Buffer => {
    const field = header.subarray(from, from + length);
    const end = field.indexOf(0);
    return end < 0 ? field : field.subarray(0, end);
  };
  const prefix =
    header.subarray(257, 263).toString('latin1') === 'ustar\0' ? text(345, 155) : Buffer.alloc(0);
  return prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), text(0, 100)]) : text(0, 100);
}

/** "LENGTH KEY=VALUE\n", where the length counts itself; a value may hold any byte. */
function paxRecords(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  let from = 0;
  while (from < bytes.length) {
    const space = bytes.indexOf(32, from);
    const length = Number(bytes.subarray(from, space).toString('latin1'));
    const equals = bytes.indexOf(61, space);
    if (space < 0 || equals < 0 || !(length > equals - from) || bytes[from + length - 1] !== 10)
      throw new Error('a header of the tar stream is broken');
    const value = bytes.subarray(equals + 1, from + length - 1);
    // A copy: the piece of the stream that it lies in must not be kept for it.
    records.set(bytes.subarray(space + 1, equals).toString('utf8'), Buffer.from(value));
    from += length;
  }
  return records;
}
