import { nameFromLatin1, nameToBytes } from '../../system/file-names.js';
import { listLongVerb, listVerb } from './command.js';
import { type Restic, runRestic } from './driver.js';
import { jsonObject } from './parse.js';
import type { Counts } from './plausible.js';

/** What a snapshot holds, node by node. */

export interface Node {
  /** Absolute, as it was on the source. */
  path: string;
  type: 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'chardev' | 'dev' | 'irregular';
  /** Permission bits with setuid, setgid and sticky, as the system counts them. */
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Nanoseconds since 1970, as a decimal string. */
  mtimeNs: string;
  /** From restic 0.19 on. */
  linkTarget?: string | undefined;
  /** From restic 0.16 on. */
  inode?: number;
}

/** One line of `ls --json`; undefined for the first, which is the snapshot itself. */
export function parseNode(line: string): Node | undefined {
  const json = jsonObject(line);
  if (json?.struct_type !== 'node') return undefined;
  return {
    path: json.path as string,
    type: json.type as Node['type'],
    mode: modeBits((json.mode as number | undefined) ?? 0),
    uid: (json.uid as number | undefined) ?? 0,
    gid: (json.gid as number | undefined) ?? 0,
    size: (json.size as number | undefined) ?? 0,
    mtimeNs: nanoseconds((json.mtime as string | undefined) ?? ''),
    ...(typeof json.inode === 'number' ? { inode: json.inode } : {}),
    ...(typeof json.linktarget === 'string' ? { linkTarget: json.linktarget } : {}),
  };
}

/** Go keeps setuid, setgid and sticky at bits 23, 22 and 20. */
function modeBits(goMode: number): number {
  const bit = (position: number, value: number) => (Math.floor(goMode / 2 ** position) % 2 === 1 ? value : 0);
  return (goMode & 0o777) + bit(23, 0o4000) + bit(22, 0o2000) + bit(20, 0o1000);
}

/** RFC 3339 with up to nine decimals -> nanoseconds since 1970. Date alone would drop the last six. */
export function nanoseconds(time: string): string {
  const [, whole, fraction = '', zone] = /^(.*?)(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/.exec(time) ?? [];
  if (whole === undefined) return '0';
  const seconds = BigInt(Date.parse(`${whole}${zone}`)) / 1000n;
  return String(seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9)));
}

/** Every node of a snapshot, in restic's order. `onLine` sees the raw lines too (for a digest). */
export async function readListing(
  restic: Restic,
  snapshot: string,
  onNode: (node: Node, line: string) => void,
): Promise<void> {
  await runRestic(restic, listVerb(snapshot), {
    onLine: (line, stream) => {
      const node = stream === 'stdout' ? parseNode(line) : undefined;
      if (node) onNode(node, line);
    },
  });
}

/** Counts as `backup` does: regular files and their bytes. */
export async function countListing(restic: Restic, snapshot: string): Promise<Counts> {
  const counts = { files: 0, bytes: 0 };
  await readListing(restic, snapshot, ({ type, size }) => {
    if (type !== 'file') return;
    counts.files += 1;
    counts.bytes += size;
  });
  return counts;
}

/** Where symbolic links point: before 0.19 only the listing in words says it. `links` are named as on the disk. */
export async function readLinkTargets(
  restic: Restic,
  snapshot: string,
  links: readonly Node[],
): Promise<Map<string, string>> {
  const reader = linkTargetReader(links);
  await runRestic(restic, listLongVerb(snapshot), {
    bytes: true,
    onLine: (line, stream) => {
      if (stream === 'stdout') reader.line(line);
    },
  });
  return reader.end();
}

const arrow = ' -> ';
/** An entry is "mode uid gid size date time path -> target"; names and targets may hold line breaks. */
const entryStart = /^[a-zA-Z-]{10,12} +\d+ +\d+ +\d+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d /;

/** For the lines of that listing, one character for each byte. */
export function linkTargetReader(links: readonly Node[]) {
  const targets = new Map<string, string>();
  const wanted = new Map(links.map(({ path }) => [nameToBytes(path).toString('latin1'), path]));
  let entry = '';
  const close = (): void => {
    const told = /^l/i.test(entry) ? entry.replace(entryStart, '') : '';
    // A name may hold an arrow too: the shorter one stands first in the listing, and is taken by then.
    for (let at = told.indexOf(arrow); at >= 0; at = told.indexOf(arrow, at + 1)) {
      const path = wanted.get(told.slice(0, at));
      if (path === undefined) continue;
      wanted.delete(told.slice(0, at));
      targets.set(path, nameFromLatin1(told.slice(at + arrow.length)));
      return;
    }
  };
  return {
    line(line: string): void {
      if (!entryStart.test(line)) {
        entry += `\n${line}`;
        return;
      }
      close();
      entry = line;
    },
    end(): Map<string, string> {
      close();
      return targets;
    },
  };
}
