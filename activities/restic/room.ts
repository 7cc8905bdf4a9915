import { HoldfastError } from '../../contracts/errors.js';
import type { RestorePlan } from '../../contracts/jobs.js';
import type { SparseNote } from '../../contracts/sparseness.js';
import type { Restic } from './driver.js';
import { linkedNames } from './hard-links.js';
import type { Node } from './listing.js';
import { isAtLeast } from './parse.js';
import { scanTree } from './scan.js';
import { knownSparse } from './sparse-check.js';
import { dataFolder, type TargetState } from './target.js';
import { resticVersion } from './versions.js';

/** Whether there is room for what is restored: a file with many names takes its bytes once, and holes take none. */

interface Content {
  nodes: readonly Node[];
  root: string;
  note: SparseNote | undefined;
}

export interface Room {
  bytes: number;
  /** Of files that take less than their length, by path. */
  less: ReadonlyMap<string, number>;
}

/** Pure. `keepsHoles`: restic makes the holes itself, from 0.15 on; older ones fill them, and they are dug afterwards. */
export function roomFor({ nodes, root, note }: Content, keepsHoles: boolean): Room {
  const files = nodes.filter(({ type }) => type === 'file');
  const less = new Map<string, number>();
  for (const { node, allocatedBefore } of keepsHoles ? knownSparse(files, root, note) : [])
    less.set(node.path, mostOfSparse(node.size, allocatedBefore));
  for (const names of linkedNames(files)) for (const { path } of names.slice(1)) less.set(path, 0);
  return { bytes: files.reduce((sum, { path, size }) => sum + (less.get(path) ?? size), 0), less };
}

/** restic makes holes of whole chunks only: a tenth of them may be filled for a while. */
const mostOfSparse = (size: number, allocated: number): number =>
  Math.min(size, Math.ceil(allocated + Math.max(0, size - allocated) / 10));

/** For the folders and the file system's own needs. */
export const spareShare = 0.02;

interface Asked extends Content {
  plan: Pick<RestorePlan, 'target' | 'bytesFree'>;
  state: TargetState;
  /** Looks for a note elsewhere; only when there is no room without one. */
  otherNote(): Promise<SparseNote | undefined>;
}

/** The bytes that the restore will take, or HF_NO_SPACE. */
export async function checkRoom(
  restic: Restic,
  { plan, state, otherNote, ...content }: Asked,
): Promise<number> {
  const keepsHoles = isAtLeast(await resticVersion(restic), [0, 15]);
  const room = roomFor(content, keepsHoles);
  if (state === 'publishing' || withSpare(room.bytes) <= plan.bytesFree) return room.bytes;
  const data = dataFolder(plan.target);
  const missing = async (one: Room): Promise<number> =>
    withSpare(one.bytes) - (await bytesThere(restic, data, one));
  if ((await missing(room)) <= plan.bytesFree) return room.bytes;
  const other = keepsHoles ? await otherNote() : undefined;
  const least = other ? roomFor({ ...content, note: other }, keepsHoles) : room;
  const needed = await missing(least);
  if (needed <= plan.bytesFree) return least.bytes;
  const message = `The restore to ${plan.target} needs ${needed} bytes and ${plan.bytesFree} are free. Free some space or choose another place`;
  throw new HoldfastError('HF_NO_SPACE', message.slice(0, 300), { needed, bytesFree: plan.bytesFree });
}

const withSpare = (bytes: number): number => Math.ceil(bytes * (1 + spareShare));

/** What an earlier attempt has restored, counted as it is needed. */
async function bytesThere(restic: Restic, data: string, { less }: Room): Promise<number> {
  if (!(await restic.host.exists(data))) return 0;
  let bytes = 0;
  await scanTree(restic, data, ({ type, path, size }) => {
    if (type === 'file') bytes += Math.min(size, less.get(path) ?? size);
  });
  return bytes;
}
