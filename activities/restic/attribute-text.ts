import { createHash } from 'node:crypto';
import type { IdMap } from '../../contracts/id-map.js';
import { nameFromBytes } from '../../system/file-names.js';
import { listEntries } from './access-list.js';
import { shiftedCapability, shiftedEntry } from './id-shift.js';

/** What getfattr and the tar stream of a copy say about attributes, brought to one form. Pure. */

/** An access list of these alone says what the mode says. */
const baseEntry = /^(user|group|other)::/;

const sha256Characters = 16;

/** The value itself stays out of logs and histories: it may be a secret, and is often no text. */
const valueFact = (name: string, value: Buffer): string =>
  `${name} ${value.length} bytes (sha256 ${createHash('sha256').update(value).digest('hex').slice(0, sha256Characters)})`;

/** One line of tar-attributes: an entry of the copy with its pax records; with a map, as it shall be after the restore. */
export function parseTarAttributes(line: string, map: IdMap): { path: string; facts: string[] } {
  const { path, values } = JSON.parse(line) as { path: string; values: Record<string, string> };
  const facts = Object.entries(values).flatMap(([key, base64]) => {
    const value = Buffer.from(base64, 'base64');
    const [, name] = /^SCHILY\.xattr\.(.*)$/s.exec(key) ?? [];
    if (name !== undefined) return factsOf([{ name, value }], map);
    const [, kind] = /^SCHILY\.acl\.(access|default)$/.exec(key) ?? [];
    const entries = kind ? value.toString('utf8').split(/[,\n]/).filter(Boolean) : [];
    return aclFacts(entries, kind === 'default' ? 'default:' : '', map);
  });
  // Absolute, as in the copy.
  return { path: `/${path.replace(/^\/|\/$/g, '')}`, facts: facts.sort() };
}

export interface NamedValue {
  name: string;
  value: Buffer;
}

/** Everything of every file, however many links lead to it: values in hex, names as they are. */
export const getfattrOptions = [
  '--physical',
  '--no-dereference',
  '--absolute-names',
  '--dump',
  '--encoding=hex',
] as const;

/** For what `getfattrOptions` make it print, one character for each byte: "# file: …", then name=0x… lines, then an empty one. */
export function getfattrReader(onFile: (path: string, values: NamedValue[]) => void) {
  let path: string | undefined;
  let values: NamedValue[] = [];
  const end = (): void => {
    if (path !== undefined) onFile(path, values);
    path = undefined;
    values = [];
  };
  return {
    line(line: string): void {
      if (line.startsWith('# file: ')) {
        end();
        path = unescapeOctal(line.slice('# file: '.length));
      } else if (line !== '' && path !== undefined) {
        const [, name = line, hex = ''] = /^(.*?)=(?:0x)?([0-9a-f]*)$/s.exec(line) ?? [];
        values.push({ name: unescapeOctal(name), value: Buffer.from(hex, 'hex') });
      }
    },
    end,
  };
}

/** The facts of one file, such as "user.colour 4 …" (name, length, what the value hashes to) or "acl user:33:r-x", sorted; with a map, as they shall be after the restore. */
export const factsOf = (values: readonly NamedValue[], map: IdMap): string[] =>
  values
    .flatMap(({ name, value }) => {
      const [, kind] = /^system\.posix_acl_(access|default)$/.exec(name) ?? [];
      if (kind) return aclFacts(listEntries(value), kind === 'default' ? 'default:' : '', map);
      return [valueFact(name, name === 'security.capability' ? shiftedCapability(map, value) : value)];
    })
    .sort();

function aclFacts(entries: readonly string[], prefix: '' | 'default:', map: IdMap): string[] {
  if (prefix === '' && entries.every((entry) => baseEntry.test(entry))) return [];
  return entries.map((entry) => `acl ${shiftedEntry(map, `${prefix}${entry}`)}`);
}

const escapes: Record<string, number> = { n: 10, t: 9, r: 13, b: 8, f: 12, v: 11, a: 7, '\\': 92 };

/** The escapes of getfattr: backslash and three octal digits, or one letter; everything else is one character for each byte. */
export function unescapeOctal(text: string): string {
  const bytes: number[] = [];
  for (const [piece] of text.matchAll(/\\[0-7]{3}|\\.|[^\\]+/gs)) {
    if (/^\\[0-7]{3}$/.test(piece)) bytes.push(Number.parseInt(piece.slice(1), 8));
    else if (piece.startsWith('\\') && escapes[piece.slice(1)] !== undefined)
      bytes.push(escapes[piece.slice(1)] ?? 0);
    else bytes.push(...Buffer.from(piece, 'latin1'));
  }
  return nameFromBytes(Buffer.from(bytes));
}
