import { basename } from 'node:path';
import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { type Exchange, insidePrefix } from './in-place.js';
import { setFolderTime } from './publish.js';

/** The restored tree takes the place of what was there, and back. Both can be done again after a crash at any point; nothing is deleted. */

/** Moves what is there aside, and the restored tree to its place. */
export const takePlaceOf = (host: Host, exchange: Exchange): Promise<void> =>
  exchange.mode === 'beside' ? swapFolders(host, exchange) : swapEntries(host, exchange);

/** Brings back what was there; the restored tree is kept beside it. */
export async function bringBack(host: Host, exchange: Exchange): Promise<void> {
  if (exchange.mode === 'beside') await swapFoldersBack(host, exchange);
  else await swapEntriesBack(host, exchange);
  const { staged, back } = exchange;
  if ((await host.facts(staged)) && !(await host.facts(back))) await host.rename(staged, back);
}

async function swapFolders(host: Host, { directory, staged, aside }: Exchange): Promise<void> {
  const isStaged = (await host.facts(staged)) !== undefined;
  if (isStaged && (await host.facts(directory))) {
    if (await host.facts(aside)) throw appeared(directory);
    await host.rename(directory, aside);
  }
  if (isStaged) await host.rename(staged, directory);
}

async function swapFoldersBack(host: Host, exchange: Exchange): Promise<void> {
  const { directory, staged, aside, back, hadDirectory } = exchange;
  const isAside = (await host.facts(aside)) !== undefined;
  const isPlaced = !hadDirectory && !(await host.facts(staged));
  if ((isAside || isPlaced) && (await host.facts(directory))) await host.rename(directory, back);
  if (isAside) await host.rename(aside, directory);
}

/** So called until everything is moved: then what lies in the folder itself is the former state, and later the restored one. */
const unfinished = (aside: string): string => `${aside}.unfinished`;

async function swapEntries(host: Host, { directory, staged, aside }: Exchange): Promise<void> {
  if (!(await host.facts(aside))) {
    const moving = unfinished(aside);
    if (!(await host.facts(moving))) {
      await host.makeFolder(moving);
      await copyAttributes(host, directory, moving);
    }
    await moveEntries(host, directory, moving, insidePrefix);
    await host.rename(moving, aside);
  }
  const facts = await host.facts(staged);
  if (!facts) return;
  await moveEntries(host, staged, directory);
  await copyAttributes(host, staged, directory);
  await removeEmpty(host, staged, directory);
  await setFolderTime(host, directory, facts.mtimeNs);
}

async function swapEntriesBack(host: Host, { directory, staged, aside }: Exchange): Promise<void> {
  const moving = unfinished(aside);
  if (await host.facts(aside)) {
    if (!(await host.facts(staged))) {
      await host.makeFolder(staged);
      await copyAttributes(host, directory, staged);
    }
    await moveEntries(host, directory, staged, insidePrefix);
    await host.rename(aside, moving);
  }
  const facts = await host.facts(moving);
  if (!facts) return;
  await moveEntries(host, moving, directory);
  await copyAttributes(host, moving, directory);
  await removeEmpty(host, moving, directory);
}

async function moveEntries(host: Host, from: string, to: string, stays?: string): Promise<void> {
  const taken = await host.moveEntries(from, to, stays);
  if (taken !== undefined) throw appeared(taken);
}

/** Of the folder alone, whatever lies in it: cp would take the files along, so tar does it. */
async function copyAttributes(host: Host, from: string, to: string): Promise<void> {
  const all = ['--acls', '--xattrs', '--xattrs-include=*', '--numeric-owner'];
  const ended = await host.pipe([
    { file: 'tar', args: ['--create', '--file=-', ...all, '--no-recursion', `--directory=${from}`, '.'] },
    { file: 'tar', args: ['--extract', '--file=-', ...all, '--preserve-permissions', `--directory=${to}`] },
  ]);
  const failed = ended.find(({ exitCode }) => exitCode !== 0);
  if (!failed) return;
  const message = `tar cannot give ${to} the owner and mode of ${from}: ${failed.stderrTail.trim()}`;
  throw new HoldfastError('HF_TOOL_FAILED', message.slice(0, 300));
}

/** Looks first: the one thing that may go is a folder of ours with nothing in it. */
async function removeEmpty(host: Host, folder: string, within: string): Promise<void> {
  if ((await host.list(folder)).length > 0) throw appeared(folder);
  await host.removeTree(folder, within);
}

const appeared = (path: string): HoldfastError =>
  new HoldfastError(
    'HF_TARGET_NOT_EMPTY',
    `${basename(path)} appeared while the restored files were taking their place (${path}): is its service still running?`.slice(
      0,
      300,
    ),
  );
