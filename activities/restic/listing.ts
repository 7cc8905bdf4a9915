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
export async function readLinkTargets(restic: Restic, snapshot: string, links: readonly Node[]) {
  const { result } = await runRestic(restic, listLongVerb(snapshot), { bytes: true });
  return parseLinkTargets(result.stdout, links);
}

/** One character for each byte. A line is "mode uid gid size date time path -> target"; a name may hold line breaks, so each link is searched by its whole path. */
export function parseLinkTargets(stdout: string, links: readonly Node[]): Map<string, string> {
  const targets = new Map<string, string>();
  let from = 0;
  for (const { path } of links) {
    const mark = ` ${nameToBytes(path).toString('latin1')} -> `;
    const at = stdout.indexOf(mark, from);
    if (at < 0) continue;
    const rest = stdout.slice(at + mark.length);
    const end = rest.search(/\n(?=[a-zA-Z-]{10,12} +\d+ +\d+ +\d+ \d{4}-|$)/);
    targets.set(path, nameFromLatin1(end < 0 ? rest : rest.slice(0, end)));
    from = at + mark.length;
  }
  return targets;
}
