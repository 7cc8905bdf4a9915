import { createHash } from 'node:crypto';
import { resourceOf, storesOf, workerHostOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { StepInput } from '../../contracts/jobs.js';
import { tags } from '../../contracts/names.js';
import type { SparseNote } from '../../contracts/sparseness.js';
import { now } from '../../system/clock.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { addEvidence, readEvidence } from '../host/evidence.js';
import { readingHost } from '../host/reading-host.js';
import { withWarning } from './beside.js';
import { openRestic } from './driver.js';
import type { Snapshot } from './parse.js';
import { runBackup } from './run-backup.js';
import { boundedNote } from './sparse-handed.js';
import { readSparseNote } from './sparse-note.js';

/** The notes of sparse files lie beside the copies as well: in a rescue there is no host that could tell them. */

export const sparseTag = 'holdfast-sparse';

/** One restic start. A check or retention spends it when the notes have changed, a backup of a job that has neither once a week. */
const afterBackupsEachMs = 7 * 24 * 60 * 60_000;

interface Keeping {
  /** Not by a backup, which is kept at two starts of restic more than it needs. */
  atOnce: boolean;
  /** The repository is a new one, whatever our record says. */
  isLost?: boolean;
}

/** Behind work that is done. */
export const withSparseCopy = <R extends { warnings: string[] }>(
  tools: Tools,
  { store }: Pick<StepInput, 'store'>,
  done: R,
  how: Keeping = { atOnce: false },
): Promise<R> =>
  withWarning(tools, done, `Which files were sparse was not stored beside the backups in "${store}"`, () =>
    keepSparseNotes(tools, store, how),
  );

/** Nothing where no file was sparse: a rescue then says what it says of a store without notes. */
export async function keepSparseNotes(
  tools: Tools,
  store: string,
  { atOnce, isLost }: Keeping,
): Promise<void> {
  const { host, run } = tools;
  const notes = await notesFor(tools, store);
  if (notes.every(({ note }) => note.files.length === 0)) return;
  const sha256 = digestOf(notes);
  const last = (await readEvidence(host)).findLast(
    (entry) => entry.kind === 'sparse-copy' && entry.store === store,
  );
  const folder = sparseFolderFor(host, store);
  if (last?.kind === 'sparse-copy' && !isLost && (await host.exists(folder))) {
    const isDue = atOnce || now().getTime() - Date.parse(last.at) >= afterBackupsEachMs;
    if (!isDue || last.sha256 === sha256) return;
  }
  const paths: string[] = [];
  for (const { resource, note } of notes) {
    paths.push(`${folder}/${resource}.json`);
    await host.writeFile(`${folder}/${resource}.json`, JSON.stringify(note));
  }
  const marks = notes.map(({ resource, note }) => tags.sparse(resource, note.run));
  const request = { host: host.name, tags: [sparseTag, ...marks], exclude: [], paths };
  const restic = await openRestic(tools, store, 'sparse');
  const { summary, partial } = await runBackup(restic, request, 'storing which files were sparse');
  if (!summary || partial)
    throw new HoldfastError('HF_COPY_NOT_PROVED', 'restic did not say that it saved it');
  await addEvidence(host, { kind: 'sparse-copy', run, store, sha256, snapshot: summary.snapshot });
}

interface NoteOf {
  resource: string;
  note: SparseNote;
}

/** Of all that this host copies into the store, whichever job does. */
async function notesFor({ host, config }: Tools, store: string): Promise<NoteOf[]> {
  const notes: NoteOf[] = [];
  for (const resource of resourcesIn(config, store)) {
    if (workerHostOf(config, resourceOf(config, resource).host) !== host.name) continue;
    const note = await readSparseNote(readingHost(host, config, resource), resource);
    if (note) notes.push({ resource, note: boundedNote(note) });
  }
  return notes;
}

const resourcesIn = ({ jobs }: Config, store: string): string[] => {
  const names = Object.values(jobs).flatMap((job) =>
    job.kind === 'restic-backup' && storesOf(job).includes(store) ? job.resources : [],
  );
  return [...new Set(names)].toSorted();
};

/** Without the run, and without what is allocated, which settles late: what holds for the next copy as well need not be stored again. */
const digestOf = (notes: readonly NoteOf[]): string =>
  createHash('sha256')
    .update(JSON.stringify(notes.map(statesIn)))
    .digest('hex');

const statesIn = ({ resource, note: { files, gap } }: NoteOf) => [
  resource,
  files.map(({ path, size, mtimeNs }) => [path, size, mtimeNs]).toSorted(),
  gap,
];

/** Each store its own, because stores are worked on side by side. */
export const sparseFolderFor = ({ stateFolder }: Host, store: string): string =>
  `${stateFolder}/sparse-copy/${store}`;

/** Pure: notes whose copies are all gone, out of a listing of everything. The newest of each resource stays: it may hold for any copy. */
export function staleNotes(listing: readonly Snapshot[]): string[] {
  const copies = new Set(
    listing.flatMap(({ hostname, tags: own }) => {
      const [resource] = own.flatMap((tag) => (tag.startsWith('resource:') ? [tag.slice(9)] : []));
      const [run] = own.flatMap((tag) => (tag.startsWith('run:') ? [tag.slice(4)] : []));
      return resource && run ? [`${hostname} ${tags.sparse(resource, run)}`] : [];
    }),
  );
  const seen = new Set<string>();
  return listing.toReversed().flatMap((note) => {
    if (!isNote(note)) return [];
    const marks = note.tags.filter((tag) => tag !== sparseTag);
    const resources = marks.map((mark) => `${note.hostname} ${mark.slice(0, mark.indexOf('/'))}`);
    const isNewest = resources.some((resource) => !seen.has(resource));
    for (const resource of resources) seen.add(resource);
    return isNewest || marks.some((mark) => copies.has(`${note.hostname} ${mark}`)) ? [] : [note.id];
  });
}

/** Nothing else: a snapshot that is anything besides is not ours to remove. */
export const isNote = ({ tags: own }: Snapshot): boolean =>
  own.includes(sparseTag) && own.every((tag) => tag === sparseTag || tag.startsWith('sparse:'));
