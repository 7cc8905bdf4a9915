import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseConfig } from '../../config/load.js';
import { type Findings, isWithin, starterConfig } from '../../config/starter.js';
import { isLocal } from '../../config/starter-names.js';

/** Whether an answer can stand in a configuration: the text of what is wrong with it, undefined when nothing is. */

/** As a shell would have made it absolute. */
export const absolute = (path: string, home: string | undefined): string =>
  resolve(home !== undefined && /^~(\/|$)/.test(path) ? join(home, path.slice(1)) : path);

export async function folderMistake(path: string): Promise<string | undefined> {
  if (path === '/') return 'holds the folders of the kernel too; name folders such as /etc, /home or /srv';
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error.code ?? 'unknown');
  if (typeof found === 'string')
    return found === 'ENOENT' ? 'is not there' : `cannot be looked at (${found})`;
  return found.isDirectory() ? undefined : 'is not a folder';
}

/** The schema judges: what it says about this key of a configuration with this answer. */
export function repositoryMistake(
  repository: string,
  folders: readonly string[],
  findings: Findings,
): string | undefined {
  const text = starterConfig(findings, {
    folders: [{ path: '/x', isMountPoint: false }],
    repository,
    passwordFile: '/x.key',
  });
  const mistake = parseConfig(text, '').mistakes.find(({ key }) => key.endsWith('.repository'));
  if (mistake) return mistake.message;
  const path = isLocal(repository) ? repository.replace(/^local:/, '') : undefined;
  const around = folders.find((folder) => path !== undefined && isWithin(path, folder));
  return around === undefined
    ? undefined
    : `lies inside ${around}, which is to be protected: it would hold itself`;
}

export type PasswordFile = { state: 'there' | 'absent' } | { state: 'wrong'; mistake: string };

/** Nothing of it is kept or shown: only whether a password is in it. */
export async function lookAtPasswordFile(path: string): Promise<PasswordFile> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return { state: 'wrong', mistake: 'is not a file' };
    if ((facts.mode & 0o007) !== 0)
      return { state: 'wrong', mistake: `may be read by others: chmod 600 ${path}` };
    const isEmpty = (await readFile(path, 'utf8')).trim() === '';
    return isEmpty ? { state: 'wrong', mistake: 'is empty' } : { state: 'there' };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return code === 'ENOENT' ? { state: 'absent' } : { state: 'wrong', mistake: `cannot be read (${code})` };
  }
}
