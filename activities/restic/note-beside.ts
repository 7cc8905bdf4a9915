import type { RestoreStepInput } from '../../contracts/jobs.js';
import { tags } from '../../contracts/names.js';
import type { HandedSparseNote, SparseNote } from '../../contracts/sparseness.js';
import type { Tools } from '../door.js';
import { dumpVerb } from './command.js';
import { listSnapshots, openRestic, type Restic, runRestic } from './driver.js';
import type { Snapshot } from './parse.js';
import { isNote, sparseTag } from './sparse-copy.js';
import { mostBytes, sparsenessOf } from './sparse-handed.js';
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

/** For a restore whose source's host does not answer: one or two starts of restic more. What it finds nothing by is told as before. */
export async function noteInsteadOf(
  tools: Tools,
  restic: Restic,
  { resource, store, sparse }: Pick<RestoreStepInput, 'resource' | 'store' | 'sparse'>,
  copy: Snapshot,
): Promise<HandedSparseNote | undefined> {
  if (sparse === undefined || sparse.isBeside || sparse.answered === true) return sparse;
  const run = copy.tags.find((tag) => tag.startsWith(tags.run('')))?.slice(tags.run('').length) ?? '';
  try {
    const listing = await listSnapshots(restic, [sparseTag]);
    const beside = await noteBeside(tools, store, { resource, run, listing });
    return beside === undefined || beside.note ? beside : sparse;
  } catch (error) {
    if (tools.signal.aborted) throw error;
    tools.log(`notes of sparse files beside the copies: ${error instanceof Error ? error.message : error}`);
    return sparse;
  }
}

/** For a plan that has no room without it, before anybody was asked: a rescue, or a restore elsewhere. */
export async function noteElsewhere(
  tools: Tools,
  restic: Restic,
  { resource, store }: Pick<RestoreStepInput, 'resource' | 'store'>,
  copy: Snapshot,
): Promise<SparseNote | undefined> {
  const sparse = { host: '', answered: false };
  const told = await noteInsteadOf(tools, restic, { resource, store, sparse }, copy);
  return told && (await sparsenessOf(tools.host, { resource, sparse: told })).note;
}
