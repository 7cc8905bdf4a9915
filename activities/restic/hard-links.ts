import { nameInJson, shownName } from '../../system/file-names.js';
import { findAllVerb } from './command.js';
import { runRestic } from './driver.js';
import type { Findings, OnDisk } from './findings.js';
import type { Node } from './listing.js';
import type { PreparedRestore } from './restore-plan.js';

/** Whether names that shared one file share one again, and no others do. */

/** The answer of `find` comes in one piece, some 400 bytes for each entry. */
const mostNodes = 400_000;

/** Listings name the inode from 0.16 on; older ones know only how many names a file had, and tell it in `find`. */
export async function checkHardLinks(
  { restic, snapshot, nodes }: PreparedRestore,
  disk: ReadonlyMap<string, OnDisk>,
): Promise<Findings> {
  const files = nodes.filter(({ type }) => type === 'file');
  if (files.every(({ inode }) => inode !== undefined)) return compareGroups(files, disk);
  if (nodes.length > mostNodes) {
    return { verified: [], notVerified: [`hard links of more than ${mostNodes} entries`], differences: [] };
  }
  const { result } = await runRestic(restic, findAllVerb(snapshot.id));
  return compareLinkCounts(files, linkCounts(result.stdout), disk);
}

/** By inode: exact, as long as the source was one file system. */
export function compareGroups(files: readonly Node[], disk: ReadonlyMap<string, OnDisk>): Findings {
  const groups = new Map<string, Node[]>();
  for (const file of files) {
    const key = String(file.inode);
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  const inCopy = [...groups.values()].filter((group) => group.length > 1 && isOneFile(group));
  const torn = inCopy.filter((group) => new Set(group.map(({ path }) => disk.get(path)?.inode)).size > 1);
  const inGroup = new Set(inCopy.flat().map(({ path }) => path));
  const joined = files.filter(({ path }) => !inGroup.has(path) && (disk.get(path)?.links ?? 1) > 1);
  return {
    verified: [`hard links: ${inCopy.length} groups`],
    notVerified: [],
    differences: [
      ...torn.map(([first]) => `${shownName(first?.path ?? '')}: is no longer one file with its other names`),
      ...joined.map(
        ({ path }) => `${shownName(path)}: shares its file with a name that it had nothing to do with`,
      ),
    ],
  };
}

/** Two file systems under one folder may use the same inode number: such files differ in size or time. */
const isOneFile = (group: readonly Node[]): boolean =>
  new Set(group.map(({ size, mtimeNs, uid, gid, mode }) => `${size} ${mtimeNs} ${uid} ${gid} ${mode}`))
    .size === 1;

/** `find --json` -> number of names of each file, in its order for paths that look alike there. */
export function linkCounts(stdout: string): Map<string, number[]> {
  const results = (stdout.trim() === '' ? [] : JSON.parse(stdout)) as {
    matches?: { path: string; type?: string; links?: number }[];
  }[];
  const counts = new Map<string, number[]>();
  for (const { path, type, links } of results.flatMap(({ matches }) => matches ?? [])) {
    if (type !== 'file') continue;
    const alike = counts.get(path);
    if (alike) alike.push(links ?? 1);
    else counts.set(path, [links ?? 1]);
  }
  return counts;
}

/** By count: a file with fewer names than before may have had the others outside of what was restored. */
export function compareLinkCounts(
  files: readonly Node[],
  counts: ReadonlyMap<string, readonly number[]>,
  disk: ReadonlyMap<string, OnDisk>,
): Findings {
  const taken = new Map<string, number>();
  const names = files.map(({ path }) => {
    const told = nameInJson(path);
    const index = taken.get(told) ?? 0;
    taken.set(told, index + 1);
    return { path, before: counts.get(told)?.[index] ?? 1, now: disk.get(path)?.links };
  });
  const fewer = names.filter(({ before, now = 0 }) => before > 1 && now < before);
  const more = names.filter(({ before, now = 1 }) => now > before);
  return {
    verified: [`hard links: the number of names of ${files.length - fewer.length} files`],
    notVerified:
      fewer.length > 0
        ? [
            `hard links of ${fewer.length} files that have fewer names than in the source, some perhaps outside of it`,
          ]
        : [],
    differences: more.map(
      ({ path }) => `${shownName(path)}: shares its file with a name that it had nothing to do with`,
    ),
  };
}
