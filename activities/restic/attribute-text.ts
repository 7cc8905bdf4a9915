import { createHash } from 'node:crypto';
import type { IdMap } from '../../contracts/id-map.js';
import { shiftedCapability, shiftedEntry } from './id-shift.js';

/** What the tar stream of a copy, getfattr and getfacl say about attributes, brought to one form. Pure; the programs run with LC_ALL=C. */

/** By path: facts such as "user.colour 4 …" (name, length, what the value hashes to) or "acl user:33:r-x". */
export type AttributeMap = Map<string, string[]>;

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
    if (name !== undefined)
      return [valueFact(name, name === 'security.capability' ? shiftedCapability(map, value) : value)];
    const [, kind] = /^SCHILY\.acl\.(access|default)$/.exec(key) ?? [];
    const entries = kind ? value.toString('utf8').split(/[,\n]/).filter(Boolean) : [];
    const named = kind === 'default' ? entries.map((entry) => `default:${entry}`) : entries;
    return aclFacts(named.map((entry) => shiftedEntry(map, entry)));
  });
  // Absolute, as in the copy.
  return { path: `/${path.replace(/^\/|\/$/g, '')}`, facts: facts.sort() };
}

export interface NamedValue {
  path: string;
  name: string;
  value: Buffer;
}

/** `getfattr --dump --encoding=hex`: "# file: …", then name=0x… lines. */
export function parseGetfattr(lines: readonly string[]): NamedValue[] {
  const all: NamedValue[] = [];
  let path: string | undefined;
  for (const line of lines) {
    if (line.startsWith('# file: ')) path = unescapeOctal(line.slice('# file: '.length));
    else if (line !== '' && path !== undefined) {
      const [, name = line, hex = ''] = /^(.*?)=(?:0x)?([0-9a-f]*)$/s.exec(line) ?? [];
      all.push({ path, name: unescapeOctal(name), value: Buffer.from(hex, 'hex') });
    }
  }
  return all;
}

/** Access lists come from getfacl. */
export function attributeFacts(values: readonly NamedValue[]): AttributeMap {
  const map: AttributeMap = new Map();
  for (const { path, name, value } of values)
    if (!name.startsWith('system.posix_acl_')) add(map, path, [valueFact(name, value)]);
  return map;
}

/** `getfacl --numeric --skip-base --no-effective`: "# file: …" and one entry a line. */
export function parseGetfacl(lines: readonly string[]): AttributeMap {
  const map: AttributeMap = new Map();
  let path: string | undefined;
  let entries: string[] = [];
  const close = () => {
    if (path !== undefined) add(map, path, aclFacts(entries));
    entries = [];
  };
  for (const line of lines) {
    if (line.startsWith('# file: ')) {
      close();
      path = unescapeOctal(line.slice('# file: '.length));
    } else if (line !== '' && !line.startsWith('#')) entries.push(line);
  }
  close();
  return map;
}

function aclFacts(entries: readonly string[]): string[] {
  const told = entries.filter((entry) => entry !== '');
  const access = told.filter((entry) => !entry.startsWith('default:'));
  const inherited = told.filter((entry) => entry.startsWith('default:'));
  const extended = access.every((entry) => baseEntry.test(entry)) ? [] : access;
  return [...extended, ...inherited].map((entry) => `acl ${entry}`);
}

function add(map: AttributeMap, path: string, facts: readonly string[]): void {
  if (facts.length > 0) map.set(path, [...(map.get(path) ?? []), ...facts]);
}

const escapes: Record<string, number> = { n: 10, t: 9, r: 13, b: 8, f: 12, v: 11, a: 7, '\\': 92 };

/** The escapes of getfattr and getfacl: backslash and three octal digits, or one letter. Bytes, then UTF-8. */
export function unescapeOctal(text: string): string {
  const bytes: number[] = [];
  for (const [piece] of text.matchAll(/\\[0-7]{3}|\\.|[^\\]+/gs)) {
    if (/^\\[0-7]{3}$/.test(piece)) bytes.push(Number.parseInt(piece.slice(1), 8));
    else if (piece.startsWith('\\') && escapes[piece.slice(1)] !== undefined)
      bytes.push(escapes[piece.slice(1)] ?? 0);
    else bytes.push(...Buffer.from(piece));
  }
  return Buffer.from(bytes).toString('utf8');
}
