import { isUtf8 } from 'node:buffer';

/**
 * Names of files as text, also those that are no UTF-8 (old machines wrote Latin-1): each odd byte becomes one of the 128 code units
 * U+DC80 to U+DCFF, which no text of ours holds otherwise, so that two names never become one. Pure.
 */

const oddByte = 0xdc00;
const isAscii = /^[\0-\x7f]*$/;
// With u it does not see the second half of an emoji.
const oddBytes = /[\udc80-\udcff]/gu;

/** What a program printed with one character for each byte, as a name. */
export const nameFromLatin1 = (text: string): string =>
  isAscii.test(text) ? text : nameFromBytes(Buffer.from(text, 'latin1'));

/** The bytes of a name as text. */
export function nameFromBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let name = '';
  for (let at = 0; at < bytes.length; ) {
    const character = bytes.subarray(at, at + lengthOf(bytes[at] ?? 0));
    const isWhole = isUtf8(character);
    name += isWhole ? character.toString('utf8') : String.fromCharCode(oddByte + (bytes[at] ?? 0));
    at += isWhole ? character.length : 1;
  }
  return name;
}

/** How many bytes a character has that begins with this one. */
function lengthOf(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

/** The way back. */
export const nameToBytes = (name: string): Buffer =>
  isUtf8Name(name)
    ? Buffer.from(name)
    : Buffer.concat(
        name
          .split(/([\udc80-\udcff])/u)
          .map((part) =>
            /^[\udc80-\udcff]$/u.test(part) ? Buffer.of(part.charCodeAt(0) - oddByte) : Buffer.from(part),
          ),
      );

/** Whether a name is text on the disk too. */
export const isUtf8Name = (name: string): boolean => name.search(oddBytes) < 0;

/** As programs written in Go tell it in JSON: U+FFFD for each odd byte. */
export const nameInJson = (name: string): string => name.replace(oddBytes, '\ufffd');

/** For a person: the bytes that are no text as \xe9. */
export const shownName = (name: string): string =>
  name.replace(oddBytes, (unit) => `\\x${(unit.charCodeAt(0) - oddByte).toString(16)}`);
