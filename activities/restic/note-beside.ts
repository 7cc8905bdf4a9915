import { tags } from '../../contracts/names.js';
import type { HandedSparseNote, SparseNote } from '../../contracts/sparseness.js';
import type { Tools } from '../door.js';
import { dumpVerb } from './command.js';
import { openRestic, runRestic } from './driver.js';
import type { Snapshot } from './parse.js';
import { isNote } from './sparse-copy.js';
import { mostBytes } from './sparse-handed.js';
import { readSparseNote } from './sparse-note.js';

/** Reads back which files were sparse from where the host had stored it: beside the copies. */

/** The copy that is restored, and all that its store lists, the oldest first. */
interface CopyOf {
  resource: string;
  run: string;
  listing: readonly Snapshot[];
}

/** For a rescue: the note of the copy's own run, else the newest. One start of restic, where there is one. */
export async function noteBeside(
  tools: Tools,
  store: string,
  { resource, run, listing }: CopyOf,
): Promise<HandedSparseNote | undefined> {
  const own = await readSparseNote(tools.host, resource);
  if (own?.run === run) return undefined;
  const notes = listing.filter(
    (one) => isNote(one) && one.tags.some((tag) => tag.startsWith(tags.sparse(resource, ''))),
  );
  const ofRun = notes.findLast((one) => one.tags.includes(tags.sparse(resource, run)));
  const chosen = ofRun ?? (own ? undefined : notes.at(-1));
  if (chosen) return readNote(tools, store, resource, chosen);
  return own ? undefined : { host: '', answered: true, isBeside: true };
}

/** What cannot be read is said, and the restore goes on. */
async function readNote(
  tools: Tools,
  store: string,
  resource: string,
  { id, paths, hostname }: Snapshot,
): Promise<HandedSparseNote> {
  const told = { host: hostname, isBeside: true as const };
  try {
    const restic = await openRestic(tools, store, 'sparse');
    const path = paths.find((one) => one.endsWith(`/${resource}.json`)) ?? '';
    const { result } = await runRestic(restic, dumpVerb(id, path), { maxStdoutBytes: 2 * mostBytes });
    return { ...told, answered: true, note: JSON.parse(result.stdout) as SparseNote };
  } catch (error) {
    if (tools.signal.aborted) throw error;
    const why = error instanceof Error ? error.message : error;
    tools.log(`the note ${id.slice(0, 12)} of sparse files: ${why}`);
    return { ...told, answered: false };
  }
}
