import { ownProperties } from './list-command.js';
import { type LocalProperties, localCommand, parseBefore, parseLocal } from './tree-properties.js';

/**
 * What an appliance shares of a pool is its own configuration and not ZFS: a replica carries nothing of it. It is read beside each
 * replication, so that somebody knows it when the machine is gone. Pure: a program of sh, and what its output says.
 */

/** What TrueNAS is asked. Never iscsi.auth: it holds passwords. */
export const middlewareCalls = [
  'iscsi.target.query',
  'iscsi.extent.query',
  'iscsi.targetextent.query',
  'iscsi.portal.query',
  'sharing.nfs.query',
  'sharing.smb.query',
] as const;
export type MiddlewareCall = (typeof middlewareCalls)[number];

/** What decides where a dataset is found, and by whom. */
export const shareProperties: readonly string[] = ['mountpoint', 'canmount', 'sharenfs', 'sharesmb'];

/** Other Linux machines: the kernel's own NFS server and iSCSI target; Debian keeps the latter in a place of its own. */
const files = {
  exports: ['/etc/exports', '/etc/exports.d'],
  lio: ['/etc/target/saveconfig.json', '/etc/rtslib-fb-target/saveconfig.json'],
} as const;

export interface SharingRead {
  /** By dataset: what was set on it itself, of ZFS and of other programs. */
  properties: Record<string, Record<string, string>>;
  /** They are complete. Older copies have those of mount points and shares alone. */
  allProperties?: true;
  /** The answers of TrueNAS. */
  middleware?: Partial<Record<MiddlewareCall, unknown[]>>;
  /** Lines of /etc/exports. */
  exports?: string[];
  /** The saved configuration of targetcli. */
  lio?: unknown;
  /** What could not be read, in words. */
  problems: string[];
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** One remote command for all of it. Each part begins with a line of its own: a record separator, its name, and how it ended. */
export function sharingScript(zfs: readonly string[], midclt: readonly string[], root: string): string {
  const words = [...zfs, ...localCommand('', root, ['all']).args].map(quote).join(' ');
  const call = midclt.map(quote).join(' ');
  return [
    'LC_ALL=C; export LC_ALL',
    `p() { n=$1; shift; o=$("$@" 2>&1); c=$?; printf '\\036%s\\t%s\\n%s\\n' "$n" "$c" "$o"; }`,
    `p properties ${words}`,
    'if command -v midclt >/dev/null 2>&1; then',
    ...middlewareCalls.map((name) => `p ${name} ${call} call ${name}`),
    'else',
    `for f in ${files.exports[0]} ${files.exports[1]}/*.exports; do if [ -e "$f" ]; then p exports cat "$f"; fi; done`,
    `for f in ${files.lio.join(' ')}; do if [ -e "$f" ]; then p lio cat "$f"; break; fi; done`,
    'fi',
    'exit 0',
  ].join('\n');
}

/** Passwords of CHAP and the like are nobody's to keep: neither they nor the names that go with them. */
const secretName = /passw|passphrase|secret|chap|userid|credential|token/i;

export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !secretName.test(name))
      .map(([name, inner]) => [name, withoutSecrets(inner)]),
  );
}

export function parseSharing(stdout: string): SharingRead {
  const read: SharingRead = { properties: {}, problems: [] };
  for (const part of stdout.split('\u001e').slice(1)) {
    const end = part.indexOf('\n');
    const [name = '', code = ''] = part.slice(0, end).split('\t');
    const text = part.slice(end + 1).replace(/\n+$/, '');
    if (code !== '0') read.problems.push(`${name}: ${firstLine(text) || `exit ${code}`}`.slice(0, 200));
    else take(read, name, text);
  }
  if (!stdout.includes('\u001eproperties\t')) read.problems.push('it said nothing');
  return read;
}

/** midclt ends a traceback with what went wrong. */
const firstLine = (text: string): string => {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (/^Traceback/.test(lines[0] ?? '') ? lines.at(-1) : lines[0]) ?? '';
};

function take(read: SharingRead, name: string, text: string): void {
  if (name === 'properties') takeProperties(read, text);
  else if (name === 'exports') read.exports = [...(read.exports ?? []), ...exportLines(text)];
  else takeJson(read, name, text);
}

const manyLines = 'has several lines';
export const isManyLines = (problem: string): boolean => problem.endsWith(manyLines);

/** A value of several lines comes as several, and half of it would be another value: it is left out, and told. */
function takeProperties(read: SharingRead, text: string): void {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.split('\t').length > 2) {
      lines.push(line);
      continue;
    }
    const [dataset, property = ''] = lines.at(-1)?.split('\t') ?? [];
    // What else comes in one line is a warning of zfs.
    if (!property.includes(':') && property !== 'mountpoint') continue;
    lines.pop();
    read.problems.push(`${property} of ${dataset} ${manyLines}`);
  }
  const properties = worthKeeping(parseLocal(lines.join('\n')));
  Object.assign(read, { properties, allProperties: true });
}

/** What stands by was made readonly and unshared by us: what it had itself is what it said before. */
function asItWas(own: Readonly<Record<string, string>>): [string, string][] {
  const before = parseBefore(own[ownProperties.before]) ?? {};
  return Object.entries({ ...own, ...before }).flatMap(([property, value]) =>
    value === null ? [] : [[property, value] as [string, string]],
  );
}

/** Our own marks are no settings, and passwords stand in properties of other programs too, and in the address of a key. */
const worthKeeping = (local: LocalProperties): SharingRead['properties'] =>
  Object.fromEntries(
    [...local].flatMap(([dataset, own]) => {
      const kept = asItWas(own).filter(
        ([property, value]) =>
          !(property === 'keylocation' && /^https?:/.test(value)) &&
          !property.startsWith('holdfast:') &&
          !(property.includes(':') && secretName.test(property)),
      );
      return kept.length === 0 ? [] : [[dataset, Object.fromEntries(kept)] as const];
    }),
  );

function takeJson(read: SharingRead, name: string, text: string): void {
  let value: unknown;
  try {
    value = withoutSecrets(JSON.parse(text));
  } catch {
    read.problems.push(`${name}: no JSON came`);
    return;
  }
  if (name === 'lio') read.lio = value;
  else if (Array.isArray(value)) read.middleware = { ...read.middleware, [name]: value };
  else read.problems.push(`${name}: no list came`);
}

/** A line that ends with a backslash goes on. */
const exportLines = (text: string): string[] =>
  text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '');
