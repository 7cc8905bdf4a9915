import { resourceOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { RestoreStepInput } from '../../contracts/jobs.js';
import { chooseSnapshot } from './choose.js';
import { copyTags, listSnapshots, type Restic } from './driver.js';
import type { Known } from './known.js';
import type { Snapshot } from './parse.js';
import { asResticWrites } from './run-backup.js';
import { listParts } from './seed-parts.js';

export interface Chosen {
  snapshot: Snapshot;
  /** The resource's folder as it is called in the copy. */
  root: string;
  /** A part of a first upload that was not finished. */
  isPart: boolean;
}

/** The copy that a restore takes. A part of a first upload is taken only when it is named, and never in place of what is there. */
export async function chooseCopy(
  restic: Restic,
  config: Config,
  input: RestoreStepInput,
  { known, what }: { known: Known; what: string },
): Promise<Chosen> {
  const { copy, resource, inPlace } = input;
  const home = resourceOf(config, resource).host;
  const listing = await listSnapshots(restic, copyTags(input.job, resource));
  const fitting = listing.filter(({ id }) =>
    copy === undefined ? !known.refused.has(id) : id.startsWith(copy),
  );
  const parts = fitting.length > 0 ? [] : await listParts(restic, input);
  if (copy === undefined && parts.length > 0) throw onlyParts(parts, what);
  if (!parts.some(({ id }) => copy !== undefined && id.startsWith(copy))) {
    const snapshot = chooseSnapshot({ listing, known, home, onlyHome: inPlace === true, what }, input);
    return { snapshot, root: rootOf(snapshot), isPart: false };
  }
  if (inPlace) {
    const message = `${copy} is a part of an unfinished first upload: it never takes the place of "${resource}". Restore it with --to`;
    throw new HoldfastError('HF_TARGET_REFUSED', message);
  }
  const snapshot = chooseSnapshot({ listing: parts, known, home, what }, input);
  return { snapshot, root: rootOfPart(snapshot, resourceOf(config, resource).directory), isPart: true };
}

function onlyParts(parts: readonly Snapshot[], what: string): HoldfastError {
  const newest = parts.at(-1);
  const message = `There is no whole copy of ${what} yet: its first upload is not finished. The newest part is ${newest?.id.slice(0, 12)} of ${newest?.time.slice(0, 19)}; --copy with this id restores what it holds`;
  return new HoldfastError('HF_COPY_NOT_FOUND', message.slice(0, 300));
}

/** A part names what it holds, not the folder that all of it lies in; that of a dataset is where its snapshots are read. */
function rootOfPart({ paths }: Snapshot, directory: string | undefined): string {
  if (directory !== undefined && directory !== '/') return asResticWrites(directory);
  return /^.*?\/reading\/[^/]+/.exec(paths[0] ?? '')?.[0] ?? folderAbove(paths);
}

/** Where nothing is known of the resource, as in a rescue; restic lists every folder but the root itself. */
function folderAbove(paths: readonly string[]): string {
  const [first = [], ...more] = paths.map((path) => path.split('/').slice(0, -1));
  const shared = [...first].findIndex((name, at) => more.some((other) => other[at] !== name));
  const above = (shared < 0 ? [...first] : [...first].slice(0, shared)).join('/');
  return above || (paths[0] ?? '/');
}

function rootOf({ paths, id }: Snapshot): string {
  const [root] = paths;
  if (root !== undefined && paths.length === 1) return root;
  const message = `The copy ${id.slice(0, 8)} holds ${paths.length} folders where we make copies of one; restore it with restic`;
  throw new HoldfastError('HF_COPY_NOT_FOUND', message);
}
