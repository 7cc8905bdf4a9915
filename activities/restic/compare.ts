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
  // Such names were changed on their way through JSON: restic restored them, but we cannot name them.
  const unreadable = nodes.filter(({ path }) => path.includes('\uFFFD'));
  const left = nodes.filter(({ path, type }) => neverRestored.has(type) && !disk.has(path));
  const passed = new Set([...unreadable, ...left]);
  const compared = nodes.filter((node) => !passed.has(node));
  const known = new Set(nodes.map(({ path }) => path));
  const strangers = [...disk.keys()].filter(
    (path) => !known.has(path) && !mayExist(path) && !path.includes('\uFFFD'),
  );
  return {
    verified: [
      `type, mode, size and modification time of ${compared.length} entries`,
      ...(isRoot ? [`owner and group of ${compared.length} entries`] : []),
      ...linksVerified(compared),
    ],
    notVerified: [
      ...(isRoot ? [] : ['owner and group: only root can restore them, and the worker is not root']),
      ...(unreadable.length > 0 ? [`${unreadable.length} entries whose names are not valid UTF-8`] : []),
      ...linksNotVerified(compared),
      ...(left.length > 0 ? [`${left.length} sockets: restic does not restore them`] : []),
    ],
    differences: [
      ...compared.flatMap((node) => compareNode(node, disk.get(node.path), isRoot)),
      ...strangers.map((path) => `${path}: is not in the copy`),
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
  if (!found) return [`${node.path}: is missing`];
  if (found.type !== node.type) return [`${node.path}: is a ${found.type}, not a ${node.type}`];
  const isLink = node.type === 'symlink';
  const isDevice = node.type === 'chardev' || node.type === 'dev';
  const properties: [string, boolean, unknown, unknown][] = [
    // setuid and setgid are dropped by the system when the owner cannot be set.
    ['mode', !isLink, octal(found.mode, isRoot), octal(node.mode, isRoot)],
    ['owner', isRoot, `${found.uid}:${found.gid}`, `${node.uid}:${node.gid}`],
    ['size', node.type === 'file', found.size, node.size],
    ['modification time', !isDevice, found.mtimeNs, node.mtimeNs],
    ['target', isLink && node.linkTarget !== undefined, found.linkTarget, node.linkTarget],
  ];
  return properties
    .filter(([, applies, is, should]) => applies && is !== should)
    .map(([name, , is, should]) => `${node.path}: ${name} is ${is}, not ${should}`);
}

const octal = (mode: number, isRoot: boolean): string =>
  (isRoot ? mode : mode & 0o1777).toString(8).padStart(4, '0');
