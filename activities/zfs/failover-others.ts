import { replicaStoreOf, resourceOf, storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Tools } from '../door.js';
import { isBelow } from './dataset-names.js';
import { selectionOf } from './job.js';
import { rootOf } from './listing.js';
import { type Role, roleOf } from './role.js';
import { pathSelector } from './select-paths.js';
import { zfsOn } from './zfs-on.js';

/** The other replicas of a resource: while one of them is in use, a second one would be written to beside it, and nothing joins them again. */

export interface OtherReplica {
  /** Another resource, of whose datasets some are the same. */
  shares?: string;
  store: string;
  host: string;
  root: string;
  role?: Role;
  /** Why it could not be looked at: it may be in use. */
  unseen?: string;
}

interface Pair {
  resource: string;
  store: string;
}

/** In all jobs, whichever made it: of the resource in its other stores, and of resources that share datasets with it. */
export function otherReplicasOf(config: Config, { resource, store }: Pair): Pair[] {
  const pairs = Object.values(config.jobs).flatMap((job) =>
    job.kind === 'zfs-replication'
      ? job.resources.flatMap((name) => storesOf(job).map((at) => ({ resource: name, store: at })))
      : [],
  );
  const others = pairs.filter((pair) =>
    pair.resource === resource ? pair.store !== store : shareDatasets(config, resource, pair.resource),
  );
  return [...new Map(others.map((pair) => [`${pair.resource} ${pair.store}`, pair])).values()];
}

/** Nested, and not left out of the outer one. */
function shareDatasets(config: Config, ...names: [string, string]): boolean {
  if (new Set(names.map((name) => resourceOf(config, name).host)).size > 1) return false;
  const [outer, inner] = names
    .map((name) => selectionOf(config, name))
    .sort((one, other) => one.dataset.length - other.dataset.length);
  if (!outer || !inner) return false;
  if (outer.dataset === inner.dataset) return true;
  return (
    isBelow(inner.dataset, outer.dataset) &&
    !pathSelector(outer).excludes(inner.dataset.slice(outer.dataset.length + 1))
  );
}

export function seeOthers(tools: Tools, of: Pair): Promise<OtherReplica[]> {
  return Promise.all(
    otherReplicasOf(tools.config, of).map(async ({ resource, store }) => {
      const place = replicaStoreOf(tools.config, store);
      const shares = resource === of.resource ? {} : { shares: resource };
      const other = { ...shares, store, host: place.host, root: `${place.dataset}/${resource}` };
      try {
        const role = roleOf(await rootOf(zfsOn(tools, place.host), other.root));
        return { ...other, ...(role && { role }) };
      } catch (error) {
        if (!(error instanceof HoldfastError) || tools.signal.aborted) throw error;
        // What was never copied there is in use by nobody.
        return error.code === 'HF_DATASET_MISSING' ? other : { ...other, unseen: error.message };
      }
    }),
  );
}

const isUsed = ({ role }: OtherReplica): boolean => role !== undefined && role.kind !== 'kept';

/** With the source dead nothing can be brought back first: then a human sees it in the plan and decides. */
export const usedBeside = (others: readonly OtherReplica[]): string[] =>
  others
    .filter((other) => other.shares !== undefined && isUsed(other))
    .map(
      ({ root, host, shares, role }) =>
        `Some of its datasets are in use already, as ${root} on ${host} (the resource "${shares}") since ${role?.run}: keep one of the two unused, two sides can never be joined`,
    );

/** What comes back to the resource's own place while another replica of it is in use would be a second side. */
export function refuseBesideOthers(others: readonly OtherReplica[]): void {
  const used = others.find((other) => other.shares === undefined && isUsed(other));
  if (!used) return;
  const words = `${used.root} on ${used.host} (the store "${used.store}") is the one in use since ${used.role?.run}: what comes back to the resource's own dataset would be a second one. Bring that back first, or restore beside with --to`;
  throw new HoldfastError('HF_FAILED_OVER', words.slice(0, 500));
}

/** For the person who says yes. */
export const unseenWords = (others: readonly OtherReplica[]): string[] =>
  others
    .filter(({ shares, unseen }) => shares === undefined && unseen !== undefined)
    .map(
      ({ root, host, unseen }) =>
        `make sure  that ${root} on ${host} is not in use, which cannot be seen (${unseen?.slice(0, 120)})`,
    );

interface Beside {
  settings: Readonly<Record<string, string>>;
  /** A machine that is known to be off. */
  offHost: string | undefined;
  /** The source answers. */
  isAlive: boolean;
  run: string;
}

/** Why this replica must not take over; undefined where no other one can be in use. Pure. */
export function whyNotBeside(
  others: readonly OtherReplica[],
  { settings, offHost, isAlive, run }: Beside,
): string | undefined {
  // What one run takes over is shown in one question.
  const counts = ({ shares, role }: OtherReplica): boolean =>
    shares === undefined || (isAlive && role?.run !== run);
  const used = others.find((other) => isUsed(other) && counts(other));
  if (used?.role?.kind === 'unknown')
    return `The property holdfast:role of ${used.root} on ${used.host} says "${used.role.run}", which nobody here wrote: look at it`;
  const what =
    used?.shares === undefined ? '' : `, which holds some of the same datasets for "${used.shares}",`;
  if (used)
    return `${used.root} on ${used.host} (the store "${used.store}")${what} is the one in use since ${used.role?.run}: bring that back first, two sides can never be joined`;
  const said = new Set((settings.unused ?? '').split(','));
  const known = new Set(others.map(({ store }) => store));
  const strange = [...said].find((name) => name !== '' && !known.has(name));
  if (strange !== undefined)
    return `"unused=${strange.slice(0, 40)}" names no other store with a replica of this resource`;
  // A machine of which a human has said that it is off runs no replica either.
  const open = others.find(
    ({ unseen, store, host }) => unseen !== undefined && host !== offHost && !said.has(store),
  );
  if (!open) return undefined;
  return `Whether ${open.root} on ${open.host} (the store "${open.store}") is in use cannot be seen (${open.unseen?.slice(0, 120)}). Make sure that it is not, then say so with "--set unused=${open.store}"`;
}
