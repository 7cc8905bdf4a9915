import { isMountedIn } from './files.js';
import type { FileFacts, FolderLook, RunOptions } from './host.js';

/**
 * A folder looked at by a process of its own, on any machine: a call into a mount whose server is gone never comes back, and in this process
 * four of them would stop every other file call.
 */

const script = `stat --printf '%f\\0' -- "$1" || exit
[ -d "$1" ] && [ ! -L "$1" ] || exit 0
if [ -n "$3" ]; then ls -A -- "$1/" >/dev/null || exit; fi
realpath -ez -- "$1" || exit
if [ -n "$2" ] && [ -e "$2" ]; then realpath -ez -- "$2" || exit; else printf '\\0'; fi
[ -z "$3" ] || cat /proc/self/mountinfo`;

interface Asked {
  path: string;
  marker?: string | undefined;
  /** Looks for a mount too, which makes an automounter mount what is to be mounted. */
  mounted: boolean;
}

/** One process; undefined when there is nothing. */
export async function lookAtFolder(
  must: (script: string, args: readonly string[], options?: RunOptions) => Promise<string>,
  { path, marker = '', mounted }: Asked,
  signal?: AbortSignal,
): Promise<FolderLook | undefined> {
  const options: RunOptions = { bytes: true, ...(signal && { signal }) };
  const text = await must(script, [path, marker, mounted ? 'mounted' : ''], options).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    },
  );
  if (text === undefined) return undefined;
  const [mode = '', real = '', markerReal = '', mounts = ''] = text.split('\0');
  const within = real === '/' ? real : `${real}/`;
  return {
    type: typeOf(Number.parseInt(mode, 16)),
    isMounted: isMountedIn(mounts, real),
    marker: markerReal === '' ? 'missing' : markerReal.startsWith(within) ? 'inside' : 'outside',
  };
}

/** From the bits that `stat` prints. */
export function typeOf(mode: number): FileFacts['type'] {
  const kind = mode & 0o170000;
  if (kind === 0o100000) return 'file';
  if (kind === 0o040000) return 'dir';
  return kind === 0o120000 ? 'symlink' : 'other';
}

/** A process that hangs in the kernel does not die of any signal: it is left behind, and who was told to stop stops. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop));
}
