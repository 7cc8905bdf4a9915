import { jobOf, replicaStoreOf, resourceOf, storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import type { KnownCopy, ListDatasetCopiesStep, StoreCopies } from '../../contracts/copies.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { type Evidence, readEvidence } from '../host/evidence.js';
import { listTrees, type Zfs } from './listing.js';
import { readReplicaStates } from './replicate-states.js';
import type { Snapshot } from './types.js';

/** Which snapshots of a resource there are to restore from, on its own pool or in a replica, and what is known of each. */

export interface CopiesAsked {
  host: Host;
  machine: (name: string) => Host;
  config: Config;
  signal: AbortSignal;
}

/** One listing of the resource's own dataset: what lies below it has the same snapshots, or a restore says that it has not. */
export async function listDatasetCopies(
  asked: CopiesAsked,
  { job, resource, store, limit, maxCharacters }: ListDatasetCopiesStep,
): Promise<StoreCopies> {
  const { host, machine, config, signal } = asked;
  const place = placeOf(config, { job, resource, store });
  const { zfs = 'zfs', zpool = 'zpool' } = config.hosts[place.host]?.tools ?? {};
  const there: Zfs = { host: place.host === host.name ? host : machine(place.host), signal, zfs, zpool };
  const found = (await listTrees(there, { roots: [place.root], depth: 1 })).get(place.root);
  const all = (found?.snapshots ?? []).filter((one) => store !== undefined || one.job === job);
  const evidence = await readEvidence(host);
  const states = store === undefined ? undefined : await readReplicaStates(host, { resource, store });
  const base = states?.states.find(({ target }) => target === place.root)?.common;
  const copies = all
    .toReversed()
    .slice(0, limit)
    .map((one): KnownCopy => {
      const proved =
        store === undefined
          ? takenAt(evidence, resource, one)
          : base && one.createtxg <= base.targetCreatetxg
            ? states?.at
            : undefined;
      return {
        resource,
        job,
        run: one.run ?? '',
        snapshot: one.name,
        restorePoint: new Date(one.creationS * 1000).toISOString(),
        bytes: one.referencedBytes,
        proof: proved === undefined ? 'not proved' : 'proved',
        ...(proved !== undefined && { provedAt: proved, provedBy: 'backup' }),
        held: one.holds > 0,
      };
    });
  const fitting = within(copies, maxCharacters);
  return { store: store ?? `on ${place.host}`, copies: fitting, more: all.length - fitting.length };
}

function placeOf(
  config: Config,
  { job, resource, store }: Pick<ListDatasetCopiesStep, 'job' | 'resource' | 'store'>,
): { host: string; root: string } {
  const found = jobOf(config, job);
  const { host, dataset } = resourceOf(config, resource);
  const isOf = found.resources.includes(resource) && dataset !== undefined;
  if (isOf && store === undefined && found.kind === 'zfs-snapshot') return { host, root: dataset };
  if (isOf && store !== undefined && found.kind === 'zfs-replication' && storesOf(found).includes(store)) {
    const place = replicaStoreOf(config, store);
    return { host: place.host, root: `${place.dataset}/${resource}` };
  }
  throw new HoldfastError(
    'HF_NOT_IN_CONFIG',
    `The job "${job}" in this host's holdfast.yaml has no snapshots of "${resource}"; give every host the same file`,
  );
}

const takenAt = (evidence: readonly Evidence[], resource: string, { name }: Snapshot): string | undefined =>
  evidence.findLast(
    (entry) => entry.kind === 'snapshots' && entry.resource === resource && entry.snapshot === name,
  )?.at;

/** As many of the newest as fit into an answer. */
function within(copies: readonly KnownCopy[], maxCharacters: number): KnownCopy[] {
  let length = 0;
  const end = copies.findIndex((copy) => {
    length += JSON.stringify(copy).length + 1;
    return length > maxCharacters;
  });
  return end < 0 ? [...copies] : copies.slice(0, end);
}
