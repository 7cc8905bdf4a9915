import { HoldfastError } from '../../contracts/errors.js';
import { isBelow } from './dataset-names.js';
import { chooseSnapshot, namedIn } from './files-plan.js';
import type { Dataset } from './types.js';

/** Which datasets of a tree become clones, of which snapshot, under which names. Pure. */

export interface Cloned {
  from: string;
  /** What stands after "@". */
  snapshot: string;
  guid: string;
  to: string;
  type: Dataset['type'];
}

export interface CloneRequest {
  root: string;
  target: string;
  /** At most one: a dataset below the root. */
  paths: readonly string[];
  copy?: string | undefined;
  at?: string | undefined;
  job?: string | undefined;
}

export interface Clones {
  snapshot: string;
  /** ISO 8601 UTC. */
  restorePoint: string;
  /** Parents before children. */
  clones: Cloned[];
  notes: string[];
}

export function chooseClones(datasets: readonly Dataset[], request: CloneRequest): Clones {
  const { root, target, paths } = request;
  const [path = ''] = paths;
  const name = path === '' ? root : `${root}/${path.replace(/\/+$/, '')}`;
  const top = datasets.find((one) => one.name === name);
  if (!top)
    throw new HoldfastError(
      'HF_PATH_NOT_FOUND',
      `There is no dataset ${name}: with a clone --path takes the name of a dataset below ${root}`.slice(
        0,
        300,
      ),
    );
  const chosen = chooseSnapshot([top], request);
  const below = datasets.filter((one) => one === top || isBelow(one.name, name));
  const clones = below.flatMap((one): Cloned[] => {
    const snapshot = namedIn(one, chosen.name);
    const to = `${target}${one.name.slice(name.length)}`;
    return snapshot
      ? [{ from: one.name, snapshot: snapshot.name, guid: snapshot.guid, to, type: one.type }]
      : [];
  });
  const made = new Set(clones.map(({ from }) => from));
  const whole = clones.filter(({ from }) => hasParents(from, name, made));
  const missing = below.filter((one) => !made.has(one.name) && one.createtxg <= chosen.createtxg);
  return {
    snapshot: chosen.name,
    restorePoint: new Date(chosen.creationS * 1000).toISOString(),
    clones: whole,
    notes: missing.map((one) => `${one.name} has no snapshot @${chosen.name}`),
  };
}

/** A clone needs its parent: what lies below a dataset without the snapshot cannot come. */
function hasParents(from: string, top: string, made: ReadonlySet<string>): boolean {
  if (from === top) return true;
  const parent = from.slice(0, from.lastIndexOf('/'));
  return made.has(parent) && hasParents(parent, top, made);
}
