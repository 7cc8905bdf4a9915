import { isUtf8Name, nameInJson, shownName } from '../../system/file-names.js';
import type { Findings, OnDisk } from './findings.js';
import type { Node } from './listing.js';

/** The listing of a copy against what lies on the disk. Pure. */

/** Types that restic keeps in a copy and does not bring back. */
const neverRestored = new Set<string>(['socket', 'irregular']);

/** `mayExist` says which paths beside the nodes are no surprise. */
export function compareNodes(
  nodes: readonly Node[],
  disk: ReadonlyMap<string, OnDisk>,
  isRoot: boolean,
  mayExist: (path: string) => boolean,
): Findings {
  const left = nodes.filter(({ path, type }) => neverRestored.has(type) && !disk.has(path));
  const passed = new Set(left);
  const compared = nodes.filter((node) => !passed.has(node));
  const known = new Set(nodes.map(({ path }) => path));
  const strangers = [...disk.keys()].filter((path) => !known.has(path) && !mayExist(path));
  const odd = compared.filter(({ path }) => !isUtf8Name(path)).length;
  return {
    verified: [
      `type, mode, size and modification time of ${compared.length} entries${odd > 0 ? ` (${odd} with names that are not valid UTF-8)` : ''}`,
      ...(isRoot ? [`owner and group of ${compared.length} entries`] : []),
      ...linksVerified(compared),
    ],
    notVerified: [
      ...(isRoot ? [] : ['owner and group: only root can restore them, and the worker is not root']),
      ...linksNotVerified(compared),
      ...(left.length > 0 ? [`${left.length} sockets: restic does not restore them`] : []),
    ],
    differences: [
      ...compared.flatMap((node) => compareNode(node, disk.get(node.path), isRoot)),
      ...strangers.map((path) => `${shownName(path)}: is not in the copy`),
    ],
  };
}

const linksOf = (nodes: readonly Node[], isKnown: boolean): number =>
  nodes.filter(({ type, linkTarget }) => type === 'symlink' && (linkTarget !== undefined) === isKnown).length;

function linksVerified(nodes: readonly Node[]): string[] {
  const links = linksOf(nodes, true);
  return links > 0 ? [`targets of ${links} symbolic links`] : [];
}

function linksNotVerified(nodes: readonly Node[]): string[] {
  const links = linksOf(nodes, false);
  return links > 0 ? [`targets of ${links} symbolic links`] : [];
}

function compareNode(node: Node, found: OnDisk | undefined, isRoot: boolean): string[] {
  const path = shownName(node.path);
  if (!found) return [`${path}: is missing`];
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
