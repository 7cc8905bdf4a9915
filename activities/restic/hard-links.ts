import { HoldfastError } from '../../contracts/errors.js';
import { nameInJson, shownName } from '../../system/file-names.js';
import { classify } from './classify.js';
import { findAllVerb, resticCommand } from './command.js';
import type { Restic } from './driver.js';
import type { Findings, OnDisk } from './findings.js';
import type { Node } from './listing.js';
import { jsonObject } from './parse.js';
import type { PreparedRestore } from './prepared-restore.js';

/** Whether names that shared one file share one again, and no others do. */

/** To be shown every entry of the disk that the copy has too. */
export interface LinkCheck {
  see(node: Node, found: Pick<OnDisk, 'inode' | 'links'>): void;
  end(): Findings | Promise<Findings>;
}

/** Listings name the inode from 0.16 on; older ones know only how many names a file had, and tell it in `find`. */
export async function hardLinkCheck({ restic, snapshot, nodes }: PreparedRestore): Promise<LinkCheck> {
  const files = nodes.filter(({ type }) => type === 'file');
  const ask = (): Promise<ToldNames> => readNames(restic, snapshot.id);
  if (files.every(({ inode }) => inode !== undefined)) return checkGroups(files, ask);
  return checkCounts(files, await ask());
}

/** What `find` tells of a file that has several names. */
interface Names {
  links: number;
  /** The file system that the file lay on. */
  device: number | undefined;
}

/** By path as restic's JSON writes it, in its order for paths that look alike there. */
type ToldNames = ReadonlyMap<string, readonly Names[]>;

const strange = (path: string): string =>
  `${shownName(path)}: shares its file with a name that it had nothing to do with`;

/**
 * By inode: exact, as long as the source was one file system. Below one folder may lie several (snapshots of btrfs, clones of ZFS) in which the
 * same number is the same file to look at: `find` tells them apart, and is asked only when a group did not come back as one file.
 */
export function checkGroups(files: readonly Node[], ask: () => Promise<ToldNames>): LinkCheck {
  const groups = repeatedInodes(files).filter(isOneFile);
  const inodes = new Map(groups.flatMap((group) => group.map(({ path }) => [path, ''])));
  const differences: string[] = [];
  return {
    see({ path, type }, { inode, links }) {
      if (inodes.has(path)) inodes.set(path, inode);
      else if (type === 'file' && links > 1) differences.push(strange(path));
    },
    async end() {
      const isWhole = (group: readonly Node[]): boolean =>
        new Set(group.map(({ path }) => inodes.get(path))).size === 1;
      const apart = groups.filter((group) => !isWhole(group));
      const names = apart.length > 0 ? namesByFile(files, await ask()) : new Map<string, Names>();
      const parts = apart.flatMap((group) => byDevice(group, names)).filter(({ length }) => length > 1);
      for (const group of parts.filter((one) => !isWhole(one)))
        differences.push(`${shownName(group[0]?.path ?? '')}: is no longer one file with its other names`);
      const count = groups.length - apart.length + parts.length;
      return { verified: [`hard links: ${count} groups`], notVerified: [], differences };
    },
  };
}

/** Who had one name only shared its file with nobody. */
function byDevice(group: readonly Node[], names: ReadonlyMap<string, Names>): Node[][] {
  const parts = new Map<number | string | undefined, Node[]>();
  for (const node of group) {
    const told = names.get(node.path);
    const key = told === undefined || told.links === 1 ? node.path : told.device;
    parts.set(key, [...(parts.get(key) ?? []), node]);
  }
  return [...parts.values()];
}

/** By inode; none where restic does not list it. */
export const linkedNames = (files: readonly Node[]): Node[][] =>
  repeatedInodes(files.filter(({ inode }) => inode !== undefined)).filter(isOneFile);

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
async function readNames(restic: Restic, snapshot: string): Promise<ToldNames> {
  const { host, signal, lock, log, store } = restic;
  const reader = namesReader();
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
  return reader.names;
}

/** What stands before each closing brace of `find --json` -> each file that has several names. */
export function namesReader() {
  const names = new Map<string, Names[]>();
  let pending = '';
  return {
    names,
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
        take(json as unknown as Found);
      }
    },
  };
  function take({ path, type, links = 1, device_id: device }: Found): void {
    if (type !== 'file' || (links === 1 && !path.includes('\ufffd'))) return;
    const alike = names.get(path);
    if (alike) alike.push({ links, device });
    else names.set(path, [{ links, device }]);
  }
}

interface Found {
  path: string;
  type?: string;
  links?: number;
  device_id?: number;
}

/** By count: a file with fewer names than before may have had the others outside of what was restored. */
export function checkCounts(files: readonly Node[], told: ToldNames) {
  const before = namesByFile(files, told);
  const differences: string[] = [];
  let fewer = 0;
  return {
    see({ path, type }: Node, { links }: Pick<OnDisk, 'inode' | 'links'>): void {
      if (type !== 'file') return;
      const expected = before.get(path)?.links ?? 1;
      if (links > expected) differences.push(strange(path));
      if (links < expected) fewer += 1;
    },
    end(): Findings {
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
function namesByFile(files: readonly Node[], names: ToldNames): Map<string, Names> {
  const taken = new Map<string, number>();
  const before = new Map<string, Names>();
  for (const { path } of files) {
    const told = nameInJson(path);
    const alike = names.get(told);
    if (!alike) continue;
    const index = taken.get(told) ?? 0;
    taken.set(told, index + 1);
    const own = alike[index];
    if (own) before.set(path, own);
  }
  return before;
}
