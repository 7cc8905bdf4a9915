import { tags } from '../../contracts/names.js';
import { listSnapshots, type Restic } from './driver.js';
import type { Snapshot } from './parse.js';

/**
 * The parts of a first upload: snapshots with a tag of their own, so that nothing that looks for copies finds them. Each holds what the ones
 * before it hold and one portion more; together with their paths they are the only record of how far the upload is.
 */

interface Seeded {
  job: string;
  resource: string;
}

/** Out of a listing of everything, oldest first. */
export const partsIn = (listing: readonly Snapshot[], { job, resource }: Seeded): Snapshot[] =>
  listing.filter((snapshot) => snapshot.tags.includes(tags.part(job, resource)));

/** Asks the store. On the newest the first copy stands: files that are in it unchanged are not read again. */
export const listParts = (restic: Restic, { job, resource }: Seeded): Promise<Snapshot[]> =>
  listSnapshots(restic, [tags.part(job, resource)]);
