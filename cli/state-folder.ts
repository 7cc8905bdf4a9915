import { homedir } from 'node:os';
import { join } from 'node:path';

/** The same rule as the workers': HOLDFAST_STATE, else root's /var/lib/holdfast, else the XDG state folder. */
export function stateFolder(env: NodeJS.ProcessEnv): string {
  if (env.HOLDFAST_STATE) return env.HOLDFAST_STATE;
  if (process.getuid?.() === 0 && !env.XDG_STATE_HOME) return '/var/lib/holdfast';
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'holdfast');
}
