import { constants, type Stats } from 'node:fs';
import {
  access,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  statfs,
} from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { HoldfastError } from '../contracts/errors.js';
import type { FileFacts } from './host.js';

/** File verbs of this machine. Names are bytes to Linux; what is not UTF-8 is handled by the tools, not here. */

export const exists = (path: string): Promise<boolean> =>
  access(path, constants.F_OK).then(
    () => true,
    () => false,
  );

/** A mount point lies on another file system than its parent; a bind mount of the same one is found in the kernel's list. */
export async function isMountPoint(path: string): Promise<boolean> {
  // Looking into it makes an automounter mount what is to be mounted; its own entry says only that it could.
  await readdir(path);
  const real = await realpath(path);
  return isMountedIn(await readFile('/proc/self/mountinfo', 'utf8'), real);
}

/** Whether the kernel's list of mounts names the path. */
export const isMountedIn = (mounts: string, real: string): boolean =>
  mounts
    .split('\n')
    .some((line) => unescapeMount(line.split(' ')[4] ?? '') === real && !line.includes(' - autofs '));

const unescapeMount = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Follows links in what exists; the missing rest is kept as it is, so that a target can be judged before it is made. */
export async function realPath(path: string): Promise<string> {
  const whole = resolve(path);
  const real = await realpath(whole).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (real !== undefined) return real;
  return join(await realPath(dirname(whole)), basename(whole));
}

export const list = (path: string): Promise<string[]> => readdir(path);

export async function facts(path: string): Promise<FileFacts | undefined> {
  const stat = await lstat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (!stat) return undefined;
  const type = typeOf(stat);
  return {
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    allocated: Number(stat.blocks) * 512,
    mtimeNs: stat.mtimeNs.toString(),
    inode: `${stat.dev}:${stat.ino}`,
    links: Number(stat.nlink),
    ...(type === 'symlink' ? { linkTarget: await readlink(path) } : {}),
  };
}

function typeOf(stat: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): FileFacts['type'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'dir';
  return stat.isSymbolicLink() ? 'symlink' : 'other';
}

/** Of the file system that holds the path, or will hold it. */
export async function freeBytes(path: string): Promise<number> {
  const stat = await statfs(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && dirname(path) !== path) return undefined;
    throw error;
  });
  return stat ? stat.bavail * stat.bsize : freeBytes(dirname(path));
}

export async function makeFolder(path: string, mode = 0o700): Promise<void> {
  // Node's own `recursive` never comes back where the kernel answers ENOENT in a folder that is there: /proc.
  const parent = dirname(path);
  if (parent !== path && !(await exists(parent))) await makeFolder(parent, mode);
  await mkdir(path, { mode }).catch(async (error: NodeJS.ErrnoException) => {
    // Another process may have been faster; a link to a folder is one too.
    const there = error.code === 'EEXIST' ? await stat(path).catch(() => undefined) : undefined;
    if (!there?.isDirectory()) throw error;
  });
}

export const readText = (path: string): Promise<string> => readFile(path, 'utf8');

/** Of each file that is being written, the last writer: two of them would take the file beside from each other. */
const writing = new Map<string, Promise<void>>();

/** Nobody ever sees half of it: written beside, synced, renamed. Who writes last wins, at the same time too. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const write = (): Promise<void> => writeBeside(path, text);
  const mine = (writing.get(path) ?? Promise.resolve()).then(write, write);
  writing.set(path, mine);
  try {
    await mine;
  } finally {
    if (writing.get(path) === mine) writing.delete(path);
  }
}

async function writeBeside(path: string, text: string): Promise<void> {
  await makeFolder(dirname(path));
  const beside = `${path}.new`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

/**
 * For what must never replace anything: fails with EEXIST, also on a link that leads nowhere.
 * Its folder is open to everybody: who shall not read the file is kept out by the file's own mode.
 */
export async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await makeFolder(dirname(path), 0o755);
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A crash can leave half a line behind: it is closed first, so that the new one stands by itself. */
export async function appendLine(path: string, line: string): Promise<void> {
  await makeFolder(dirname(path));
  const file = await open(path, 'a+', 0o600);
  try {
    const { size } = await file.stat();
    const last = Buffer.alloc(1, '\n');
    if (size > 0) await file.read(last, 0, 1, size - 1);
    await file.appendFile(`${last[0] === 10 ? '' : '\n'}${line}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Moves every entry of one folder into another, without replacing anything; names go as bytes, because not all are UTF-8.
 * Answers the first name that is there already; what was moved until then stays moved, so that it can be done again.
 */
export async function moveEntries(from: string, to: string, stays?: string): Promise<string | undefined> {
  for (const name of await readdir(from, { encoding: 'buffer' })) {
    if (stays !== undefined && name.toString().startsWith(stays)) continue;
    const place = Buffer.concat([Buffer.from(`${to}/`), name]);
    const isTaken = await lstat(place).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
    );
    if (isTaken) return place.toString();
    await rename(Buffer.concat([Buffer.from(`${from}/`), name]), place);
  }
  return undefined;
}

export const move = (from: string, to: string): Promise<void> => rename(from, to);

/** The one place that deletes: refuses whatever does not lie inside the folder that the caller owns. */
export async function removeTree(path: string, within: string): Promise<void> {
  const inside = resolve(path).startsWith(resolve(within) + sep);
  if (!inside)
    throw new HoldfastError('HF_INTERNAL', `Refused to remove ${path}: it does not lie inside ${within}`);
  await rm(path, { recursive: true, force: true });
}
