import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '../contracts/errors.js';

/** Where the configuration is. Loads nothing else, because completion asks at every Tab. */

/** Of a user, below the XDG configuration folder. */
export const userConfigFolder = (env: NodeJS.ProcessEnv): string =>
  join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'holdfast');

/** Of the machine. */
export const machineConfigFolder = '/etc/holdfast';

/** --config, else HOLDFAST_CONFIG, else the first that exists of this folder, the user's and the machine's. */
export function findConfigFile(env: NodeJS.ProcessEnv, explicit?: string): string {
  const named = explicit ?? (env.HOLDFAST_CONFIG || undefined);
  if (named !== undefined) return named;
  const places = [
    './holdfast.yaml',
    join(userConfigFolder(env), 'holdfast.yaml'),
    join(machineConfigFolder, 'holdfast.yaml'),
  ];
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found === places[0] ? 'holdfast.yaml' : found;
  const hidden = places.filter(isHidden);
  if (hidden.length > 0)
    throw new HoldfastError('HF_CONFIG_INVALID', `This user may not look at ${hidden.join(', ')}`, {
      next: 'Ask as root, or let others enter the folder (chmod 755); secrets have files of their own (chmod 600)',
    });
  throw new HoldfastError('HF_CONFIG_INVALID', `There is no configuration: looked for ${places.join(', ')}`, {
    next: 'Write one ("holdfast init" helps), or name it with --config FILE or HOLDFAST_CONFIG',
  });
}

/** "There is none" would be untrue where nobody lets us look. */
function isHidden(place: string): boolean {
  try {
    statSync(place);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}
