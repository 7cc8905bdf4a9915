import { configKeys } from '../../config/explain.js';
import { errors } from '../../contracts/errors.js';
import { commands } from '../commands.js';
import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import { completionsOf } from './model.js';
import { zshScript } from './zsh.js';

/** The script for a shell, undefined for one that we do not know. */
export function scriptFor(shell: string): string | undefined {
  const scripts = new Map([
    ['bash', bashScript],
    ['zsh', zshScript],
    ['fish', fishScript],
  ]);
  return scripts.get(shell)?.(completionsOf(commands, [...configKeys(), ...Object.keys(errors)]));
}
