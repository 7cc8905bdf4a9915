import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { onPath } from '../../lab/places.js';

export type Property = 'content' | 'mode' | 'owner' | 'mtime' | 'hard links' | 'acl' | 'xattr' | 'sparseness';

interface Entry {
  /** Raw bytes as latin1, so that names that are no UTF-8 stay apart. */
  path: string;
  facts: BigIntStats;
}

const raw = (path: string): Buffer => Buffer.from(path, 'latin1');
const shown = (path: string): string => JSON.stringify(raw(path).toString('utf8') || '.');

function walk(root: string, path = '', found = new Map<string, Entry>()): Map<string, Entry> {
  const facts = lstatSync(raw(root + (path && `/${path}`)), { bigint: true });
  found.set(path, { path, facts });
  if (!facts.isDirectory()) return found;
  for (const name of readdirSync(raw(root + (path && `/${path}`)), 'buffer'))
    walk(root, path === '' ? name.toString('latin1') : `${path}/${name.toString('latin1')}`, found);
  return found;
}

const typeOf = (facts: BigIntStats): string => {
  if (facts.isFile()) return 'file';
  if (facts.isDirectory()) return 'folder';
  if (facts.isSymbolicLink()) return 'symbolic link';
  return facts.isFIFO() ? 'pipe' : 'device or socket';
};

function hash(path: Buffer): string {
  const sum = createHash('sha256');
  const handle = openSync(path, 'r');
  const buffer = Buffer.alloc(1 << 20);
  try {
    for (let length = readSync(handle, buffer); length > 0; length = readSync(handle, buffer))
      sum.update(buffer.subarray(0, length));
  } finally {
    closeSync(handle);
  }
  return sum.digest('hex');
}

/** Tools keep holes in units of their own (restic: chunks of about 1 MiB), so some of a hole may be filled, but not most of it. */
function isFilled(a: BigIntStats, b: BigIntStats): boolean {
  const holes = a.size - a.blocks * 512n;
  const allowed = (holes > 0n ? holes / 2n : 0n) + 65_536n;
  return a.isFile() && b.blocks * 512n - a.blocks * 512n > allowed;
}

function compareFacts(a: BigIntStats, b: BigIntStats, ignored: ReadonlySet<Property>): string[] {
  const differences: string[] = [];
  const check = (property: Property, left: unknown, right: unknown) => {
    if (!ignored.has(property) && left !== right)
      differences.push(`${property} is ${String(right)}, not ${String(left)}`);
  };
  const octal = (facts: BigIntStats) => (facts.mode & 0o7777n).toString(8);
  // The mode of a symbolic link is always 777 on Linux and cannot be set.
  if (!a.isSymbolicLink()) check('mode', octal(a), octal(b));
  check('owner', `${a.uid}:${a.gid}`, `${b.uid}:${b.gid}`);
  check('mtime', a.mtimeNs, b.mtimeNs);
  check(
    'sparseness',
    'sparse',
    isFilled(a, b) ? `filled: ${b.blocks * 512n} bytes on disk for ${a.blocks * 512n}` : 'sparse',
  );
  return differences;
}

function compareContent(a: Buffer, b: Buffer, left: BigIntStats, right: BigIntStats): string[] {
  if (left.isSymbolicLink()) {
    const [from, to] = [readlinkSync(a, 'latin1'), readlinkSync(b, 'latin1')];
    return from === to ? [] : [`target is ${shown(to)}, not ${shown(from)}`];
  }
  if (!left.isFile()) return left.rdev === right.rdev ? [] : ['is another device'];
  if (left.size !== right.size) return [`size is ${right.size}, not ${left.size}`];
  return hash(a) === hash(b) ? [] : ['content differs'];
}

function hardLinkGroups(entries: Map<string, Entry>): Set<string> {
  const groups = new Map<string, string[]>();
  for (const { path, facts } of entries.values()) {
    if (facts.isDirectory() || facts.nlink < 2n) continue;
    const key = `${facts.dev} ${facts.ino}`;
    groups.set(key, [...(groups.get(key) ?? []), path]);
  }
  const several = [...groups.values()].filter((paths) => paths.length > 1);
  return new Set(several.map((paths) => paths.sort().map(shown).join(' = ')));
}

/** `# file: NAME` and the lines up to the next empty one, as both tools print them; names are escaped alike on both sides. */
function toolFacts(tool: string, args: string[], folder: string): Set<string> {
  const output = execFileSync(tool, [...args, '.'], {
    cwd: folder,
    encoding: 'latin1',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Set(
    output
      .split('\n\n')
      .map((block) => block.trim().replaceAll('\n', ' '))
      .filter(Boolean),
  );
}

function compareSets(what: string, a: Set<string>, b: Set<string>): string[] {
  const missing = [...a].filter((item) => !b.has(item)).map((item) => `${what} missing: ${item}`);
  return [
    ...missing,
    ...[...b].filter((item) => !a.has(item)).map((item) => `${what} not in the source: ${item}`),
  ];
}

const tools = {
  acl: { file: 'getfacl', args: ['-R', '-P', '-n', '-p', '-s'] },
  xattr: { file: 'getfattr', args: ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names'] },
} as const;

function compareAttributes(a: string, b: string, ignored: ReadonlySet<Property>): string[] {
  const wanted = (['acl', 'xattr'] as const).filter((property) => !ignored.has(property));
  return wanted.flatMap((property) => {
    const { file, args } = tools[property];
    if (onPath(file) === undefined) throw new Error(`cannot compare ${property}: ${file} is not installed`);
    return compareSets(property, toolFacts(file, [...args], a), toolFacts(file, [...args], b));
  });
}

function compareEntry(
  roots: { a: string; b: string },
  left: Entry,
  right: Entry | undefined,
  ignored: ReadonlySet<Property>,
): string[] {
  if (right === undefined) return ['is missing'];
  const [type, otherType] = [typeOf(left.facts), typeOf(right.facts)];
  if (type !== otherType) return [`is a ${otherType}, not a ${type}`];
  const differences = compareFacts(left.facts, right.facts, ignored);
  if (ignored.has('content')) return differences;
  const paths = [raw(`${roots.a}/${left.path}`), raw(`${roots.b}/${left.path}`)] as const;
  return [...differences, ...compareContent(...paths, left.facts, right.facts)];
}

/**
 * Every difference between two trees, in words; none means the same to the byte and the attribute.
 * Written apart from the product's own verification on purpose: one must be able to catch the other.
 */
export function compareTrees(a: string, b: string, options: { ignore?: readonly Property[] } = {}): string[] {
  const ignored = new Set(options.ignore ?? []);
  const roots = { a: Buffer.from(a).toString('latin1'), b: Buffer.from(b).toString('latin1') };
  const [left, right] = [walk(roots.a), walk(roots.b)];
  const differences = [...left.values()].flatMap((entry) =>
    compareEntry(roots, entry, right.get(entry.path), ignored).map(
      (found) => `${shown(entry.path)}: ${found}`,
    ),
  );
  for (const path of right.keys())
    if (!left.has(path)) differences.push(`${shown(path)}: is not in the source`);
  if (!ignored.has('hard links'))
    differences.push(...compareSets('hard link', hardLinkGroups(left), hardLinkGroups(right)));
  return [...differences, ...compareAttributes(a, b, ignored)];
}
