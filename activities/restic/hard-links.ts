import { HoldfastError } from '../../contracts/errors.js';
import { nameInJson, shownName } from '../../system/file-names.js';
import { classify } from './classify.js';
import { findAllVerb, resticCommand } from './command.js';
import type { Restic } from './driver.js';
import type { Findings, OnDisk } from './findings.js';
import type { Node } from './listing.js';
import { jsonObject } from './parse.js';
import type { PreparedRestore } from './restore-plan.js';

/** Whether names that shared one file share one again, and no others do. */

/** To be shown every entry of the disk that the copy has too. */
export interface LinkCheck {
  see(node: Node, found: Pick<OnDisk, 'inode' | 'links'>): void;
  end(): Findings;
}

/** Listings name the inode from 0.16 on; older ones know only how many names a file had, and tell it in `find`. */
export async function hardLinkCheck({ restic, snapshot, nodes }: PreparedRestore): Promise<LinkCheck> {
  const files = nodes.filter(({ type }) => type === 'file');
  if (files.every(({ inode }) => inode !== undefined)) return checkGroups(files);
  return checkCounts(files, await readLinkCounts(restic, snapshot.id));
}

const strange = (path: string): string =>
  `${shownName(path)}: shares its file with a name that it had nothing to do with`;

/** By inode: exact, as long as the source was one file system. */
export function checkGroups(files: readonly Node[]): LinkCheck {
  const groups = repeatedInodes(files).filter(isOneFile);
  const inodes = new Map(groups.flatMap((group) => group.map(({ path }) => [path, ''])));
  const differences: string[] = [];
  return {
    see({ path, type }, { inode, links }) {
      if (inodes.has(path)) inodes.set(path, inode);
      else if (type === 'file' && links > 1) differences.push(strange(path));
    },
    end() {
      for (const group of groups) {
        if (new Set(group.map(({ path }) => inodes.get(path))).size === 1) continue;
        differences.push(`${shownName(group[0]?.path ?? '')}: is no longer one file with its other names`);
      }
      return { verified: [`hard links: ${groups.length} groups`], notVerified: [], differences };
    },
  };
}

/** Most files have one name: nothing but a number is held of them. */
function repeatedInodes(files: readonly Node[]): Node[][] {
  const once = new Set<number | undefined>();
  const groups = new Map<number | undefined, Node[]>();
  for (const { inode } of files) {
    if (once.has(inode)) groups.set(inode, []);
    once.add(inode);
  }
  for (const file of files) groups.get(file.inode)?.push(file);
  return [...groups.values()];
}

/** Two file systems under one folder may use the same inode number: such files differ in size or time. */
const isOneFile = (group: readonly Node[]): boolean =>
  new Set(group.map(({ size, mtimeNs, uid, gid, mode }) => `${size} ${mtimeNs} ${uid} ${gid} ${mode}`))
    .size === 1;

/** Its answer is one line, some 400 bytes for each entry: it is cut behind each brace on its way to us. */
async function readLinkCounts(restic: Restic, snapshot: string): Promise<Map<string, number[]>> {
  const { host, signal, lock, log, store } = restic;
  const reader = linkCountReader();
  const find = resticCommand(restic.tool, restic.repository, findAllVerb(snapshot));
  const [found, cut] = await host.pipe([find, { file: 'tr', args: ['}', '\\n'] }], {
    signal,
    lock,
    log,
    onLine: (line, stream) => {
      if (stream === 'stdout') reader.piece(line);
    },
  });
  const verdict = classify({ exitCode: undefined, stderrTail: '', ...found, verb: 'find', store });
  if (verdict instanceof HoldfastError) throw verdict;
  if (cut?.exitCode !== 0) throw new HoldfastError('HF_TOOL_FAILED', `tr failed: ${cut?.stderrTail}`);
  return reader.counts;
}

/** What stands before each closing brace of `find --json` -> names of each file that has several, in its order for paths that look alike. */
export function linkCountReader() {
  const counts = new Map<string, number[]>();
  let pending = '';
  return {
    counts,
    piece(text: string): void {
      pending += text;
      const begin = pending.indexOf('{"path":');
      if (begin < 0) {
        pending = '';
        return;
      }
      const json = jsonObject(`${pending.slice(begin)}}`);
      // A brace of a name.
      if (!json) pending += '}';
      else {
        pending = '';
        take(json as { path: string; type?: string; links?: number });
      }
    },
  };
  function take({ path, type, links = 1 }: { path: string; type?: string; links?: number }): void {
    if (type !== 'file' || (links === 1 && !path.includes('\ufffd'))) return;
    const alike = counts.get(path);
    if (alike) alike.push(links);
    else counts.set(path, [links]);
  }
}

/** By count: a file with fewer names than before may have had the others outside of what was restored. */
export function checkCounts(
  files: readonly Node[],
  counts: ReadonlyMap<string, readonly number[]>,
): LinkCheck {
  const before = countsByName(files, counts);
  const differences: string[] = [];
  let fewer = 0;
  return {
    see({ path, type }, { links }) {
      if (type !== 'file') return;
      const expected = before.get(path) ?? 1;
      if (links > expected) differences.push(strange(path));
      if (links < expected) fewer += 1;
    },
    end() {
      const left = `hard links of ${fewer} files that have fewer names than in the source, some perhaps outside of it`;
      return {
        verified: [`hard links: the number of names of ${files.length - fewer} files`],
        notVerified: fewer > 0 ? [left] : [],
        differences,
      };
    },
  };
}

/** Of files with several names. */
function countsByName(
  files: readonly Node[],
  counts: ReadonlyMap<string, readonly number[]>,
): Map<string, number> {
  const taken = new Map<string, number>();
  const before = new Map<string, number>();
  for (const { path } of files) {
    const told = nameInJson(path);
    const alike = counts.get(told);
    if (!alike) continue;
    const index = taken.get(told) ?? 0;
    taken.set(told, index + 1);
    before.set(path, alike[index] ?? 1);
  }
  return before;
}
