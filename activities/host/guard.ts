import { join } from 'node:path';
import type { FolderResource } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { FolderLook, Host, TreeCount } from '../../system/host.js';

/** The source guard: an unmounted disk or an emptied folder must never become the newest copy. */

export interface Guarded {
  host: Host;
  signal: AbortSignal;
  /** The resource's name, for messages. */
  resource: string;
  config: FolderResource;
  /** So long the source may take to answer the quick half. */
  answerMs?: number;
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
  const { resource, config } = guarded;
  const { directory, marker, mounted } = config;
  const look = await lookInTime(guarded);
  if (!look) throw missing(resource, `there is no ${directory}`);
  // restic would copy the link and nothing behind it.
  if (look.type === 'symlink') {
    throw missing(resource, `${directory} is a symbolic link; name the folder that it points to`);
  }
  if (look.type !== 'dir') throw missing(resource, `${directory} is not a folder`);
  if (mounted && !look.isMounted) throw missing(resource, `nothing is mounted on ${directory}`);
  if (marker === undefined) return;
  const path = join(directory, marker);
  if (look.marker === 'missing') throw missing(resource, `its marker ${path} is missing`);
  // A link out of the folder, or "..", proves nothing about this disk.
  if (look.marker === 'outside') throw missing(resource, `its marker ${path} leads out of the folder`);
}

/** A disk that sleeps or a mount that is made at the first look answers in less. */
const defaultAnswerMs = 60_000;

async function lookInTime(guarded: Guarded): Promise<FolderLook | undefined> {
  const { host, signal, resource, config, answerMs = defaultAnswerMs } = guarded;
  const { directory: path, marker, mounted } = config;
  const late = new AbortController();
  const timer = setTimeout(
    () =>
      late.abort(
        missing(resource, `${path} does not answer within ${answerMs / 1000} s; what is mounted there hangs`),
      ),
    answerMs,
  );
  const asked = { path, marker: marker === undefined ? undefined : join(path, marker), mounted };
  return host.lookAtFolder(asked, AbortSignal.any([signal, late.signal])).finally(() => clearTimeout(timer));
}
