import { isUtf8Name, nameInJson, shownName } from '../../system/file-names.js';
import type { Findings, OnDisk } from './findings.js';
import type { Node } from './listing.js';
import type { Entry } from './scan.js';

/** The listing of a copy against what lies on the disk. Pure. */

/** Types that restic keeps in a copy and does not bring back. */
const neverRestored = new Set<string>(['socket', 'irregular']);

export interface Expected {
  nodes: readonly Node[];
  isRoot: boolean;
  /** Which paths beside the nodes are no surprise. */
  mayExist(path: string): boolean;
  /** A node as it shall lie on the disk; asked for each when its turn comes, so that nothing is held twice. */
  asRestored(node: Node): Node;
}

/** To be shown every entry of the disk, in any order; only what is still expected is held. */
export function nodeCheck({ nodes, isRoot, mayExist, asRestored }: Expected) {
  const missing = new Map(nodes.map((node) => [node.path, node]));
  const differences: string[] = [];
  const count = { compared: 0, odd: 0, linksTold: 0, linksNotTold: 0 };
  return {
    /** The node of an entry; undefined for a stranger. */
    see(found: Entry): Node | undefined {
      const listed = missing.get(found.path);
      if (!listed) {
        if (!mayExist(found.path)) differences.push(`${shownName(found.path)}: is not in the copy`);
        return undefined;
      }
      missing.delete(found.path);
      const node = asRestored(listed);
      count.compared += 1;
      if (!isUtf8Name(node.path)) count.odd += 1;
      if (node.type === 'symlink') count[node.linkTarget === undefined ? 'linksNotTold' : 'linksTold'] += 1;
      differences.push(...compareNode(node, found, isRoot));
      return listed;
    },
    end(): Findings {
      const left = [...missing.values()].filter(({ type }) => neverRestored.has(type)).length;
      for (const { path, type } of missing.values())
        if (!neverRestored.has(type)) differences.push(`${shownName(path)}: is missing`);
      return { ...nodeFindings(count, left, isRoot), differences };
    },
  };
}

function nodeFindings(
  count: { compared: number; odd: number; linksTold: number; linksNotTold: number },
  left: number,
  isRoot: boolean,
): Pick<Findings, 'verified' | 'notVerified'> {
  const odd = count.odd > 0 ? ` (${count.odd} with names that are not valid UTF-8)` : '';
  const links = (amount: number): string[] => (amount > 0 ? [`targets of ${amount} symbolic links`] : []);
  return {
    verified: [
      `type, mode, size and modification time of ${count.compared} entries${odd}`,
      ...(isRoot ? [`owner and group of ${count.compared} entries`] : []),
      ...links(count.linksTold),
    ],
    notVerified: [
      ...(isRoot ? [] : ['owner and group: only root can restore them, and the worker is not root']),
      ...links(count.linksNotTold),
      ...(left > 0 ? [`${left} sockets: restic does not restore them`] : []),
    ],
  };
}

function compareNode(node: Node, found: OnDisk, isRoot: boolean): string[] {
  const path = shownName(node.path);
  if (found.type !== node.type) return [`${path}: is a ${found.type}, not a ${node.type}`];
  const isLink = node.type === 'symlink';
  const isDevice = node.type === 'chardev' || node.type === 'dev';
  const properties: [string, boolean, unknown, unknown][] = [
    // setuid and setgid are dropped by the system when the owner cannot be set.
    ['mode', !isLink, octal(found.mode, isRoot), octal(node.mode, isRoot)],
    ['owner', isRoot, `${found.uid}:${found.gid}`, `${node.uid}:${node.gid}`],
    ['size', node.type === 'file', found.size, node.size],
    ['modification time', !isDevice, found.mtimeNs, node.mtimeNs],
    ['target', isLink && node.linkTarget !== undefined, targetOf(found, node), node.linkTarget],
  ];
  return properties
    .filter(([, applies, is, should]) => applies && is !== should)
    .map(([name, , is, should]) => `${path}: ${name} is ${is}, not ${should}`);
}

/** A target that came through JSON has lost its odd bytes there. */
const targetOf = ({ linkTarget }: OnDisk, node: Node): string =>
  node.linkTarget?.includes('\ufffd') ? nameInJson(linkTarget) : linkTarget;

const octal = (mode: number, isRoot: boolean): string =>
  (isRoot ? mode : mode & 0o1777).toString(8).padStart(4, '0');
