import { join } from 'node:path';
import type { FolderResource } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Host, TreeCount } from '../../system/host.js';

/** The source guard: an unmounted disk or an emptied folder must never become the newest copy. */

export interface Guarded {
  host: Host;
  signal: AbortSignal;
  /** The resource's name, for messages. */
  resource: string;
  config: FolderResource;
}

const missing = (resource: string, what: string): HoldfastError =>
  new HoldfastError(
    'HF_SOURCE_MISSING',
    `The source of "${resource}" is not there: ${what}. Mount it and start again; no copy of it was counted`,
    { resource },
  );

/** Looks at the source before anything is done with it; counts only as far as `least` asks. */
export async function guardSource(guarded: Guarded): Promise<TreeCount> {
  await checkSourceThere(guarded);
  const { host, signal, resource, config } = guarded;
  const least = { files: config.least.files ?? 0, bytes: config.least.bytes ?? 0 };
  if (least.files === 0 && least.bytes === 0) return { files: 0, bytes: 0, complete: false };
  const count = await host.countTree(config.directory, least, signal);
  if (count.files >= least.files && count.bytes >= least.bytes) return count;
  throw new HoldfastError(
    'HF_SOURCE_TOO_SMALL',
    `"${resource}" in ${config.directory} holds ${count.files} files and ${count.bytes} bytes; the least is ` +
      `${least.files} files and ${least.bytes} bytes. It looks emptied: look at it, or lower "least"`,
    { resource, ...count },
  );
}

/** The quick half of the guard: nothing is counted. Asked again after a copy, whose source may have gone away under it. */
export async function checkSourceThere(guarded: Guarded): Promise<void> {
  await checkFolder(guarded);
  await checkMarker(guarded);
}

async function checkFolder({ host, resource, config }: Guarded): Promise<void> {
  const { directory } = config;
  const facts = await host.facts(directory);
  if (!facts) throw missing(resource, `there is no ${directory}`);
  // restic would copy the link and nothing behind it.
  if (facts.type === 'symlink') {
    throw missing(resource, `${directory} is a symbolic link; name the folder that it points to`);
  }
  if (facts.type !== 'dir') throw missing(resource, `${directory} is not a folder`);
  if (config.mounted && !(await host.isMountPoint(directory))) {
    throw missing(resource, `nothing is mounted on ${directory}`);
  }
}

/** The marker must lie in the folder itself: a link out of it, or "..", proves nothing about this disk. */
async function checkMarker({ host, resource, config: { directory, marker } }: Guarded): Promise<void> {
  if (marker === undefined) return;
  const path = join(directory, marker);
  if (!(await host.exists(path))) throw missing(resource, `its marker ${path} is missing`);
  const inside = (await host.realPath(path)).startsWith(`${await host.realPath(directory)}/`);
  if (!inside) throw missing(resource, `its marker ${path} leads out of the folder`);
}
