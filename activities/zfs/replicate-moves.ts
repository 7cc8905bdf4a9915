import { isAtOrBelow, parentOf } from './dataset-names.js';
import { isAsideOf, isParked } from './replicate-names.js';
import type { DatasetPlan, PlanInput } from './replicate-types.js';
import type { Dataset, Listing } from './types.js';

/** Which replica belongs to which source: by name, and where the name is new, by guids. */

export interface Pairing {
  /** The replica under the name that it will have. */
  replicaFor(source: Dataset, target: string): { dataset: Dataset; renameFrom?: string } | undefined;
  /** Whether something will be there once everything is renamed. */
  exists(target: string): boolean;
  /** The replica that will be moved to where its parent is still to come. */
  replicaLater(source: Dataset): string | undefined;
  /** What nobody asked for, under its present name. */
  left(): Dataset[];
}

/** The name of a source dataset on the target. */
export const targetNameOf = (
  source: string,
  { sourceRoot, targetRoot }: Pick<PlanInput, 'sourceRoot' | 'targetRoot'>,
): string => `${targetRoot}${source.slice(sourceRoot.length)}`;

/** The replica of a plan in the listing that it was made of: by the name that it has until everything is renamed. */
export const replicaOf = (
  target: Listing,
  plan: Pick<DatasetPlan, 'target' | 'presentName'>,
): Dataset | undefined => target.get(plan.presentName ?? plan.target);

/** Keeps book of the replicas while sources ask for theirs, parents before children. */
export function pairUp(input: PlanInput): Pairing {
  const { targetRoot: root } = input;
  const byName = new Map(
    [...input.target].filter(([name]) => isAtOrBelow(name, root) || isAsideOf(name, root)),
  );
  const wantedNames = new Set([...input.source.keys()].map((name) => targetNameOf(name, input)));
  const taken = new Set<string>();
  const moveTree = (from: string, to: string): void => {
    const moved = [...byName].filter(([name]) => isAtOrBelow(name, from));
    for (const [name] of moved) byName.delete(name);
    for (const [name, dataset] of moved) byName.set(`${to}${name.slice(from.length)}`, dataset);
  };
  let index: Map<string, Set<Dataset>> | undefined;
  const strayOf = (source: Dataset): string | undefined => {
    index ??= indexStrays(byName, wantedNames);
    const found = replicaByGuid(source, index);
    if (!found) return undefined;
    const [name] = [...byName].find(([, dataset]) => dataset === found) ?? [];
    return name === undefined || taken.has(name) || wantedNames.has(name) ? undefined : name;
  };
  return {
    replicaFor(source, target) {
      const known = byName.get(target);
      if (known) {
        taken.add(target);
        return { dataset: known };
      }
      const from = strayOf(source);
      const dataset = from === undefined ? undefined : byName.get(from);
      if (from === undefined || !dataset || !byName.has(parentOf(target))) return undefined;
      moveTree(from, target);
      taken.add(target);
      return { dataset, renameFrom: from };
    },
    replicaLater(source) {
      const name = strayOf(source);
      if (name !== undefined) taken.add(name);
      return name;
    },
    exists: (target) => byName.has(target),
    left: () => [...byName].filter(([name]) => !taken.has(name)).map(([, dataset]) => dataset),
  };
}

const lastOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

function indexStrays(byName: ReadonlyMap<string, Dataset>, wanted: ReadonlySet<string>) {
  const index = new Map<string, Set<Dataset>>();
  for (const [name, dataset] of byName) {
    // A parked replica stays where it is; what went aside with it comes back below its new parent.
    if (wanted.has(name) || isParked(lastOf(name))) continue;
    for (const { guid } of dataset.snapshots) {
      const known = index.get(guid);
      if (known) known.add(dataset);
      else index.set(guid, new Set([dataset]));
    }
  }
  return index;
}

/** Only where one single replica has snapshots of this dataset: anything less plain is copied anew rather than guessed. */
function replicaByGuid(
  source: Dataset,
  index: ReadonlyMap<string, ReadonlySet<Dataset>>,
): Dataset | undefined {
  const found = new Set<Dataset>();
  for (const { guid } of [...source.snapshots, ...source.bookmarks])
    for (const dataset of index.get(guid) ?? []) found.add(dataset);
  const [only, ...others] = found;
  if (!only || others.length > 0) return undefined;
  return only.replicaOf === undefined || only.replicaOf === source.guid ? only : undefined;
}
