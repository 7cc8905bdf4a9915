import { tags } from '../../contracts/names.js';
import type { SparseNote } from '../../contracts/sparseness.js';
import { isUtf8Name, shownName } from '../../system/file-names.js';
import type { Restic } from './driver.js';
import type { Findings, OnDisk } from './findings.js';
import { digHoles } from './holes.js';
import type { Node } from './listing.js';
import type { Snapshot } from './parse.js';
import type { KnownSparseness } from './sparse-handed.js';
import { leastHoleBytes } from './sparse-note.js';

/** Whether files that were sparse at the source are sparse again. */

/** A file of the copy that was sparse in the very state that the copy holds. */
export interface WasSparse {
  node: Node;
  allocatedBefore: number;
}

const notedByPath = (root: string, note: SparseNote | undefined) =>
  new Map(note?.files.map((file) => [`${root === '/' ? '' : root}/${file.path}`, file]));

/** Pure. `root` is the resource's folder as it is called in the copy. */
export function knownSparse(nodes: readonly Node[], root: string, note: SparseNote | undefined): WasSparse[] {
  const byPath = notedByPath(root, note);
  return nodes.flatMap((node) => {
    const file = node.type === 'file' ? byPath.get(node.path) : undefined;
    const isSame = file?.size === node.size && file.mtimeNs === node.mtimeNs;
    return file && isSame ? [{ node, allocatedBefore: file.allocated }] : [];
  });
}

/** Whether holes were filled: a tenth of them may be lost, since restic makes holes of whole chunks only. */
function isFilled({ node, allocatedBefore }: WasSparse, allocated: number): boolean {
  const holes = node.size - allocatedBefore;
  return allocated - allocatedBefore > Math.max(leastHoleBytes, holes / 10);
}

/** What restic filled: older ones fill every hole, newer ones all that are smaller than a chunk. Before the comparison, which sees what it did. */
export async function digFilledHoles(
  restic: Restic,
  data: string,
  known: readonly WasSparse[],
): Promise<void> {
  const filled: Node[] = [];
  for (const was of known) {
    const { path } = was.node;
    // A machine is asked in text: of a name that is none nothing is known, and digging where holes are does no harm.
    const facts = isUtf8Name(path) ? await restic.host.facts(`${data}${path}`) : { allocated: was.node.size };
    if (facts && isFilled(was, facts.allocated)) filled.push(was.node);
  }
  if (filled.length > 0) await digHoles(restic, data, filled);
}

/** The note is made beside the copy: a file that is written to meanwhile is in neither of its states for sure. */
function whyChanged(
  files: readonly Node[],
  root: string,
  note: SparseNote,
  known: number,
): string | undefined {
  const byPath = notedByPath(root, note);
  const changed = files.filter(({ path }) => byPath.has(path)).length - known;
  return changed > 0 ? `${changed} of them changed while they were copied` : undefined;
}

const namedAtMost = 10;

/** Of a prepared restore. */
interface Copied {
  nodes: readonly Node[];
  snapshot: Snapshot;
  root: string;
  sparseness: KnownSparseness;
}

/** To be shown every entry of the disk that the copy has too. */
export function sparsenessCheck(copied: Copied) {
  const known = knownSparse(copied.nodes, copied.root, copied.sparseness.note);
  const now = new Map(known.map(({ node }) => [node.path, 0]));
  let allocated = 0;
  return {
    see({ path, type }: Node, found: Pick<OnDisk, 'allocated'>): void {
      if (type !== 'file') return;
      allocated += found.allocated;
      if (now.has(path)) now.set(path, found.allocated);
    },
    end: (): Findings => sparsenessFindings(copied, known, now, allocated),
  };
}

/** A filled hole is a warning: every byte is right, only the room that it takes is not. */
function sparsenessFindings(
  { nodes, snapshot, root, sparseness: { note, without } }: Copied,
  known: readonly WasSparse[],
  now: ReadonlyMap<string, number>,
  allocated: number,
): Findings {
  const allocatedNow = (path: string): number => now.get(path) ?? 0;
  const filled = known.filter((was) => isFilled(was, allocatedNow(was.node.path)));
  const isOfThisCopy = note !== undefined && snapshot.tags.includes(tags.run(note.run));
  const files = nodes.filter(({ type }) => type === 'file');
  const content = files.reduce((sum, { size }) => sum + size, 0);
  const why = isOfThisCopy ? (note.gap ?? whyChanged(files, root, note, known.length)) : without;
  const rest = `sparseness of the other files: ${why}; ${allocated} bytes lie on the disk for ${content} bytes of content`;
  const count = `sparseness: ${known.length - filled.length} files that were sparse at the source are sparse`;
  const warnings = filled
    .slice(0, namedAtMost)
    .map(
      ({ node, allocatedBefore }) =>
        `${shownName(node.path)}: was sparse at the source (${allocatedBefore} of ${node.size} bytes allocated), now ${allocatedNow(node.path)} are`,
    );
  const more = filled.length - warnings.length;
  return {
    verified: isOfThisCopy || known.length > 0 ? [count] : [],
    notVerified: why === undefined || files.length === 0 ? [] : [rest],
    differences: [],
    warnings: more > 0 ? [...warnings, `… and ${more} more files that were sparse`] : warnings,
  };
}
