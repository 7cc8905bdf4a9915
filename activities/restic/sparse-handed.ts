import type { RestoreStepInput } from '../../contracts/jobs.js';
import { namePattern } from '../../contracts/names.js';
import type { HandedSparseNote, SparseFile, SparseNote } from '../../contracts/sparseness.js';
import type { Host } from '../../system/host.js';
import { mostFiles, readSparseNote } from './sparse-note.js';

/** A note of sparse files on its way from the host of the source to the host that restores. */

/** What a restore compares sparseness with. */
export interface KnownSparseness {
  note: SparseNote | undefined;
  /** Why there is no note of this copy, in words. */
  without: string;
}

/** What this host noted itself, what the host of the source told, or what lies beside the copies. */
export async function sparsenessOf(
  host: Host,
  { resource, sparse }: Pick<RestoreStepInput, 'resource' | 'sparse'>,
): Promise<KnownSparseness> {
  if (sparse === undefined)
    return {
      note: await readSparseNote(host, resource),
      without: 'this host noted no sparse files for this copy',
    };
  if (sparse.isBeside) return besideTheCopies(sparse);
  const teller = namePattern.test(String(sparse.host)) ? `host ${sparse.host}` : 'the host of the source';
  if (sparse.answered !== true) return { note: undefined, without: `${teller} does not answer` };
  if (sparse.note === undefined || sparse.note === null)
    return { note: undefined, without: `${teller} noted no sparse files` };
  const note = readableNote(sparse.note);
  return { note, without: `${teller} ${note ? 'noted those of another copy' : 'told what cannot be read'}` };
}

function besideTheCopies({ note: told, answered }: HandedSparseNote): KnownSparseness {
  if (answered && told === undefined)
    return { note: undefined, without: 'no note of sparse files lies beside the copies' };
  const note = answered ? readableNote(told) : undefined;
  return { note, without: `the note beside the copies ${note ? 'is of another copy' : 'cannot be read'}` };
}

/** Twice this goes through the history of a restore. */
export const mostBytes = 500_000;

/** The largest holes come first: what does not fit is of the smallest. */
export function boundedNote(note: SparseNote): SparseNote {
  let left = mostBytes;
  const fits = ({ path }: SparseFile): boolean => {
    // A path in JSON has at most six characters for each of its own; the numbers and keys beside it have less than 150.
    left -= Buffer.byteLength(JSON.stringify(path)) + 150;
    return left >= 0;
  };
  const cut = note.files.findIndex((file) => !fits(file));
  if (cut < 0) return note;
  const gap = `only the ${cut} with the largest holes of ${note.files.length} that were noted fit into the answer`;
  return { ...note, files: note.files.slice(0, cut), gap: note.gap ? `${note.gap}; ${gap}` : gap };
}

/** It came over the wire, from whoever could start this: undefined when it is no note. Its paths are only looked up in the listing of the copy. */
function readableNote(told: unknown): SparseNote | undefined {
  const { run, files, gap } = (told ?? {}) as Partial<SparseNote>;
  if (!isText(run, 200) || !Array.isArray(files) || files.length > mostFiles) return undefined;
  if (gap !== undefined && !isText(gap, 400)) return undefined;
  // Our own words are plain text; a terminal gets nothing else.
  const words = gap?.replace(/[^ -~]/g, '?');
  return files.every(isSparseFile) ? { run, files, ...(words && { gap: words }) } : undefined;
}

function isSparseFile(told: unknown): boolean {
  const { path, size, mtimeNs, allocated } = (told ?? {}) as Partial<SparseFile>;
  return isText(path, 5000) && isText(mtimeNs, 30) && isCount(size) && isCount(allocated);
}

const isText = (value: unknown, atMost: number): value is string =>
  typeof value === 'string' && value.length <= atMost;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
