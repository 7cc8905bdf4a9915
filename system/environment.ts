import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { HoldfastError } from '../contracts/errors.js';

/** What tools get from the worker's environment; credentials in it (AWS_*, RESTIC_*, TEMPORAL_*) stay with the worker. */
const passedOn =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|XDG_.*|(https?|no|all)_proxy)$/i;

/** The environment of a child: the passed-on few, then the command's own. */
export function childEnvironment(own: Readonly<Record<string, string>> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && passedOn.test(name),
  );
  return { ...(Object.fromEntries(inherited) as Record<string, string>), ...own };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The absolute path of a program; looked up by ourselves, because a wrapper's "not found" would look like the tool's. */
export function findProgram(file: string, path = process.env.PATH ?? ''): string | undefined {
  const candidates = isAbsolute(file)
    ? [file]
    : path.split(delimiter).map((folder) => join(folder || '.', file));
  return candidates.find(isExecutable);
}

export function requireProgram(file: string): string {
  const found = findProgram(file);
  if (found) return found;
  throw missingProgram(file);
}

/** Said of another machine with its name. */
export function missingProgram(file: string, host?: string): HoldfastError {
  const where = isAbsolute(file) ? 'is not there or may not be run' : 'is not on PATH';
  const [on, there] = host === undefined ? ['', 'this host'] : [` on "${host}"`, 'it'];
  return new HoldfastError(
    'HF_TOOL_MISSING',
    `The program "${file}" ${where}${on}: install it on ${there}, or name its path in hosts.${host ?? 'NAME'}.tools`,
    { program: file },
  );
}

/** Where our own files lie: HOLDFAST_STATE, else /var/lib/holdfast for root without an XDG folder, else the XDG state folder. */
export function stateFolder(env: NodeJS.ProcessEnv = process.env, isRoot = process.getuid?.() === 0): string {
  if (env.HOLDFAST_STATE) return env.HOLDFAST_STATE;
  if (env.XDG_STATE_HOME) return join(env.XDG_STATE_HOME, 'holdfast');
  return isRoot ? '/var/lib/holdfast' : join(homedir(), '.local', 'state', 'holdfast');
}

/** The user's cache folder for what can be made again. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'holdfast');
}
