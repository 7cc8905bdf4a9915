import { replicaStoreOf, storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Tools } from '../door.js';
import { rootOf } from './listing.js';
import { type Role, roleOf } from './role.js';
import { zfsOn } from './zfs-on.js';

/** The other replicas of a resource: while one of them is in use, a second one would be written to beside it, and nothing joins them again. */

export interface OtherReplica {
  store: string;
  host: string;
  root: string;
  role?: Role;
  /** Why it could not be looked at: it may be in use. */
  unseen?: string;
}

/** In all jobs: whichever made it, a replica can be in use. */
export const otherStoresOf = ({ jobs }: Pick<Config, 'jobs'>, resource: string, store: string): string[] => [
  ...new Set(
    Object.values(jobs).flatMap((job) =>
      job.kind === 'zfs-replication' && job.resources.includes(resource)
        ? storesOf(job).filter((name) => name !== store)
        : [],
    ),
  ),
];

export function seeOthers(tools: Tools, resource: string, store: string): Promise<OtherReplica[]> {
  return Promise.all(
    otherStoresOf(tools.config, resource, store).map(async (name) => {
      const place = replicaStoreOf(tools.config, name);
      const other = { store: name, host: place.host, root: `${place.dataset}/${resource}` };
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

/** Why this replica must not take over; undefined where no other one can be in use. Pure. */
export function whyNotBeside(
  others: readonly OtherReplica[],
  { settings, offHost }: { settings: Readonly<Record<string, string>>; offHost: string | undefined },
): string | undefined {
  const used = others.find(({ role }) => role !== undefined && role.kind !== 'kept');
  if (used?.role?.kind === 'unknown')
    return `The property holdfast:role of ${used.root} on ${used.host} says "${used.role.run}", which nobody here wrote: look at it`;
  if (used)
    return `${used.root} on ${used.host} (the store "${used.store}") is the one in use since ${used.role?.run}: bring that back first, two sides can never be joined`;
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
