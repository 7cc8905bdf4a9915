import { replicaStoreOf, storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Tools } from '../door.js';
import { selectionOf } from './job.js';
import { listTrees } from './listing.js';
import { destinationOf, shortOf } from './replicate-names.js';
import { type HoldTags, holderOf } from './retention-lagging.js';
import type { Dataset, Listing } from './types.js';
import { zfsOn } from './zfs-on.js';

/** Which copies are on their way right now: what they need stays, however short the pool is. */

export interface Transfer {
  words: string;
  /** The run that may be sending; whether it has ended only the engine knows. */
  run?: string;
}

/** Of a dataset to a destination, as it stands in tags and bookmarks; undefined when nothing is under way. */
export type UnderWay = (dataset: string, destination: string) => Transfer | undefined;

/** A hold says which run has set it: unless that is known to have ended, it may be sending. Pure. */
export function sendingBy(tags: HoldTags, endedRuns: readonly string[]): UnderWay {
  const ended = new Set(endedRuns);
  const sending = new Map<string, Transfer>();
  for (const [snapshot, all] of tags)
    for (const { destination, run } of all.flatMap((tag) => holderOf(tag) ?? []))
      if (!ended.has(run))
        sending.set(keyOf(snapshot.split('@')[0] ?? '', destination), {
          run,
          words: `${run} may be sending`,
        });
  return (dataset, destination) => sending.get(keyOf(dataset, destination));
}

const keyOf = (dataset: string, destination: string): string => `${dataset}\n${destination}`;

export const heldIn = ({ name, snapshots }: Dataset): string[] =>
  snapshots.flatMap((one) => (one.holds > 0 ? [`${name}@${one.name}`] : []));

/**
 * What a run that was cut has left half received on the targets: the next run goes on with it. A target that does not answer is not waited
 * for: the pool comes first, and what had arrived is sent once more.
 */
export async function receivingOn(tools: Tools, destinations: ReadonlySet<string>): Promise<UnderWay> {
  const half = new Set<string>();
  for (const [destination, { resource, store }] of destinationsIn(tools.config)) {
    if (!destinations.has(destination)) continue;
    const { dataset, host } = replicaStoreOf(tools.config, store);
    const [from, to] = [selectionOf(tools.config, resource).dataset, `${dataset}/${resource}`];
    for (const { name, resumeToken } of (await seen(tools, host, to)).values())
      if (resumeToken !== undefined) half.add(keyOf(`${from}${name.slice(to.length)}`, destination));
  }
  return (dataset, destination) =>
    half.has(keyOf(dataset, destination)) ? { words: 'half of it has arrived' } : undefined;
}

async function seen(tools: Tools, host: string, root: string): Promise<Listing> {
  try {
    return await listTrees(zfsOn(tools, host), { roots: [root], types: ['filesystem', 'volume'] });
  } catch (error) {
    if (!(error instanceof HoldfastError) || tools.signal.aborted) throw error;
    tools.log(`whether something is half received in ${root} on "${host}" is not known: ${error.message}`);
    return new Map();
  }
}

/** Long names stand shortened in tags and bookmarks. */
export const destinationsIn = ({ jobs }: Config): Map<string, { resource: string; store: string }> =>
  new Map(
    Object.values(jobs).flatMap((job) =>
      job.kind !== 'zfs-replication'
        ? []
        : storesOf(job).flatMap((store) =>
            job.resources.map((resource) => [
              shortOf(destinationOf({ store, resource })),
              { resource, store },
            ]),
          ),
    ),
  );
