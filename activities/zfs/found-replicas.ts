import { isAtOrBelow, isBelow } from './dataset-names.js';
import { isParked } from './replicate-names.js';
import { type Role, roleOf } from './role.js';
import { olderThan } from './send-back.js';
import type { Dataset, Listing } from './types.js';

/** Which replicas of ours lie in a pool, told by nothing but the pool itself: for whoever has no configuration any more. Pure. */

export interface FoundReplica {
  /** The dataset that a resource is called here. */
  name: string;
  /** `parked`: put aside because it no longer fitted its source. `standby` without a source guid: a source whose replica is in use. */
  role: 'replica' | 'parked' | Role['kind'];
  /** The failover or failback that gave it its role. */
  roleRun?: string;
  /** Of the dataset that it is a copy of. */
  sourceGuid?: string;
  datasets: number;
  usedBytes: number;
  newest?: { snapshot: string; creationS: number };
  /** Datasets of an older state than the newest. */
  older: string[];
  /** A stream to them was cut and can be resumed by its sender. */
  unfinished: string[];
  encrypted: number;
  /** Encrypted, and the key is not loaded. */
  locked: string[];
}

/** Snapshots and children inherit the mark, so a replica begins where the dataset above has none. */
export function foundReplicas(all: Listing): FoundReplica[] {
  const marked = (dataset: Dataset | undefined): boolean =>
    dataset !== undefined && (dataset.replicaOf !== undefined || roleOf(dataset) !== undefined);
  const roots = [...all.values()].filter(
    (dataset) =>
      marked(dataset) && !marked(all.get(dataset.name.slice(0, Math.max(0, dataset.name.lastIndexOf('/'))))),
  );
  return roots.map((root) => describe(root, partsOf(root, all)));
}

/** What was parked inside a replica is no part of its state. */
const partsOf = (root: Dataset, all: Listing): Dataset[] =>
  [...all.values()].filter(
    ({ name }) =>
      name === root.name || (isBelow(name, root.name) && (isParked(root.name) || !isParked(name))),
  );

function describe(root: Dataset, parts: readonly Dataset[]): FoundReplica {
  const role = roleOf(root);
  const encrypted = parts.filter(({ encryption }) => encryption !== undefined);
  const newest = root.snapshots.at(-1);
  return {
    name: root.name,
    role: isParked(root.name) ? 'parked' : (role?.kind ?? 'replica'),
    ...(role && { roleRun: role.run }),
    ...(root.replicaOf !== undefined && { sourceGuid: root.replicaOf }),
    datasets: parts.length,
    usedBytes: root.usedBytes,
    ...(newest && { newest: { snapshot: newest.name, creationS: newest.creationS } }),
    older: olderThan(root, parts),
    unfinished: parts.flatMap(({ name, resumeToken }) => (resumeToken ? [name] : [])),
    encrypted: encrypted.length,
    locked: encrypted.flatMap(({ name, keyStatus }) => (keyStatus === 'unavailable' ? [name] : [])),
  };
}

/** The replica that a dataset belongs to. */
export const replicaWith = (found: readonly FoundReplica[], dataset: string): FoundReplica | undefined =>
  found.find(({ name }) => isAtOrBelow(dataset, name));
