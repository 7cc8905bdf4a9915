import { randomBytes } from 'node:crypto';
import { parseConfig } from '../../config/load.js';
import { renderMistake } from '../../config/mistakes.js';
import { HoldfastError } from '../../contracts/errors.js';
import { shown } from '../jobs.js';
import type { Machine } from './machine.js';

/** Everything that init writes: files that were not there before. */

/** 256 bits, in letters that can be copied by hand. */
const newPassword = (): string => randomBytes(32).toString('base64url');

/** The password is in the file alone: it is given to nobody and shown nowhere. */
export const makePasswordFile = (machine: Machine, path: string): Promise<void> =>
  written(machine, path, `${newPassword()}\n`, 0o600);

/** Read again before it is written: what init writes, `check` finds right. */
export async function writeConfig(machine: Machine, path: string, text: string): Promise<void> {
  const { mistakes } = parseConfig(text, path);
  if (mistakes.length > 0) {
    const first = mistakes.map(renderMistake).join('; ').slice(0, 200);
    throw new HoldfastError('HF_INTERNAL', `init made a configuration with a mistake: ${first}`);
  }
  await written(machine, path, text, 0o644);
}

export const alreadyThere = (path: string): HoldfastError =>
  new HoldfastError('HF_FILE_EXISTS', `${shown(path)} is there already; it was left as it is`);

async function written(machine: Machine, path: string, text: string, mode: number): Promise<void> {
  try {
    await machine.writeNew(path, text, mode);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    // From mkdir it would mean that something on the way is a file.
    if (code === 'EEXIST' && syscall !== 'mkdir') throw alreadyThere(path);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new HoldfastError('HF_NO_SPACE', `There is no space left for ${shown(path)}`);
    if (code === undefined) throw error;
    throw new HoldfastError('HF_USAGE', `${shown(path)} cannot be written (${code})`, {
      next: 'Name another place with --output and --password-file, or do it as root',
    });
  }
}
