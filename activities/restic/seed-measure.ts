import { HoldfastError } from '../../contracts/errors.js';
import type { Tools } from '../door.js';
import { type Bounds, fits, type SourceNode } from './seed-split.js';

/** How large a source is, folder by folder, and what lies in those that must be cut. */

interface FolderSize extends Bounds {
  /** Direct children. */
  entries: number;
}

/** A part lists by name what it holds: of a folder with more children than this, all or nothing is taken. */
const mostEntries = 20_000;

/** Walks the source once; `boundsFor` is told its size. */
export async function measureSource(
  tools: Pick<Tools, 'host' | 'signal' | 'log'>,
  directory: string,
  boundsFor: (whole: Bounds) => Bounds,
): Promise<{ root: SourceNode; bounds: Bounds }> {
  const sizes = await folderSizes(tools, directory);
  const whole = sizes.get('');
  if (!whole) {
    const message = `The size of ${directory} could not be found out; read the log of the run`;
    throw new HoldfastError('HF_TOOL_FAILED', message.slice(0, 300));
  }
  const bounds = boundsFor(whole);
  return { root: await nodeOf(tools, { directory, sizes, bounds }, '', whole), bounds };
}

/** One line a node: names are ended by a zero byte, because they may hold line breaks, and come with both swapped. */
async function folderSizes(
  { host, signal, log }: Pick<Tools, 'host' | 'signal' | 'log'>,
  directory: string,
): Promise<Map<string, FolderSize>> {
  const sizes = new Map<string, FolderSize>();
  const find = { file: 'find', args: [directory, '-printf', '%y %s %P\\0'] };
  const swap = { file: 'tr', args: ['\\n\\0', '\\0\\n'] };
  const [found] = await host.pipe([find, swap], {
    signal,
    log,
    maxStdoutBytes: 0,
    onLine: (line, stream) => {
      if (stream === 'stdout') addNode(sizes, line.replaceAll('\0', '\n'));
    },
  });
  // What find may not read, restic may not read either: the copy itself says what is missing.
  if (found?.exitCode !== 0) log(`find could not read all of ${directory}`);
  // The deepest first: each hands its sum to the folder above.
  const folders = [...sizes.keys()].filter((path) => path !== '');
  folders.sort((a, b) => depthOf(b) - depthOf(a));
  for (const path of folders) grow(sizes, parentOf(path), sizes.get(path) as FolderSize);
  return sizes;
}

function addNode(sizes: Map<string, FolderSize>, line: string): void {
  const [, type, size, path = ''] = /^(.) (\d+) (.*)$/s.exec(line) ?? [];
  if (type === undefined) return;
  if (type === 'd' && !sizes.has(path)) sizes.set(path, { bytes: 0, files: 0, entries: 0 });
  if (path === '') return;
  grow(sizes, parentOf(path), { bytes: type === 'f' ? Number(size) : 0, files: type === 'f' ? 1 : 0 });
  const parent = sizes.get(parentOf(path));
  if (parent) parent.entries += 1;
}

function grow(sizes: Map<string, FolderSize>, path: string, { bytes, files }: Bounds): void {
  const folder = sizes.get(path) ?? { bytes: 0, files: 0, entries: 0 };
  sizes.set(path, { ...folder, bytes: folder.bytes + bytes, files: folder.files + files });
}

const depthOf = (path: string): number => path.split('/').length;
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

interface Walk {
  directory: string;
  sizes: ReadonlyMap<string, FolderSize>;
  bounds: Bounds;
}

/** `path` is relative to the source. */
async function nodeOf(
  tools: Pick<Tools, 'host' | 'signal' | 'log'>,
  walk: Walk,
  path: string,
  { bytes, files, entries }: FolderSize,
): Promise<SourceNode> {
  const { directory, sizes, bounds } = walk;
  const node = { path: joined(directory, path), bytes, files };
  if (fits(node, bounds)) return node;
  if (entries > mostEntries) {
    tools.log(`${node.path} has ${entries} entries: it is taken as a whole`);
    return node;
  }
  const children: SourceNode[] = [];
  for (const name of (await tools.host.list(node.path)).sort()) {
    tools.signal.throwIfAborted();
    // A name that is no UTF-8 cannot be given to restic by us: the copy itself takes it along.
    if (name.includes('\uFFFD')) continue;
    const below = path === '' ? name : `${path}/${name}`;
    const folder = sizes.get(below);
    if (folder) children.push(await nodeOf(tools, walk, below, folder));
    else children.push(...(await fileNode(tools, joined(directory, below))));
  }
  return { ...node, children };
}

const joined = (directory: string, path: string): string =>
  path === '' ? directory : `${directory === '/' ? '' : directory}/${path}`;

/** None when it is gone already. */
async function fileNode({ host }: Pick<Tools, 'host'>, path: string): Promise<SourceNode[]> {
  const facts = await host.facts(path);
  if (!facts) return [];
  const isFile = facts.type === 'file';
  return [{ path, bytes: isFile ? facts.size : 0, files: isFile ? 1 : 0 }];
}
