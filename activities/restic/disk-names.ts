import { isUtf8Name, nameInJson, nameToBytes } from '../../system/file-names.js';
import type { Node } from './listing.js';
import type { PreparedRestore } from './prepared-restore.js';
import { scanTree } from './scan.js';
import { dataFolder } from './target.js';

/** restic's JSON has U+FFFD for each byte of a name that is no UTF-8. What such an entry is really called, the disk tells after the restore. */

/** Whether a path of a listing may be one that was changed on its way. On the disk such a name is what it says. */
const isChanged = (path: string): boolean => path.includes('\ufffd');

/** The prepared restore with every entry named as on the disk; walks it only when some names need it. */
export async function withDiskNames(prepared: PreparedRestore): Promise<PreparedRestore> {
  if (!prepared.nodes.some(({ path }) => isChanged(path))) return prepared;
  const onDisk: string[] = [];
  await scanTree(prepared.restic, dataFolder(prepared.plan.target), ({ path }) => {
    if (isChanged(path) || !isUtf8Name(path)) onDisk.push(path);
  });
  return { ...prepared, nodes: nameNodes(prepared.nodes, onDisk) };
}

/**
 * Pure. Names that look alike in a listing stand there in the order of their bytes, folder by folder, as restic keeps them: so the first is
 * the first on the disk too. One that is missing there shifts the others, and comes out as a difference either way.
 */
export function nameNodes(nodes: readonly Node[], onDisk: readonly string[]): Node[] {
  const alike = new Map<string, string[]>();
  for (const path of onDisk) {
    const told = nameInJson(path);
    const others = alike.get(told);
    if (others) others.push(path);
    else alike.set(told, [path]);
  }
  for (const paths of alike.values()) paths.sort(byFolders);
  const taken = new Map<string, number>();
  return nodes.map((node) => {
    const paths = alike.get(node.path);
    if (!paths) return node;
    const index = taken.get(node.path) ?? 0;
    taken.set(node.path, index + 1);
    return { ...node, path: paths[index] ?? node.path };
  });
}

/** A zero byte ends each part, so that a folder's entries stand before its longer neighbours. */
function byFolders(one: string, other: string): number {
  const key = (path: string): Buffer => nameToBytes(path.replaceAll('/', '\0'));
  return Buffer.compare(key(one), key(other));
}
