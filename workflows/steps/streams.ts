import { workflowInfo } from '@temporalio/workflow';
import { streamLeases } from '../../contracts/names.js';
import type { LimitedPool } from '../../contracts/replication.js';
import { type Release, releaseTogether, retry, tryLease } from './lease.js';
import { forgetWait, type Waiter } from './lease-wait.js';

/** Streams of pools that only so many may use at the same time, over all runs: each holds a lease of the pool on either end. */

/** Those on either end; in one order for everyone, so that two runs do not take a half each again and again. */
export const poolsBetween = (
  { resource, store }: { resource: string; store: string },
  pools: readonly LimitedPool[] = [],
): LimitedPool[] =>
  pools
    .filter(({ resources, stores }) => resources.includes(resource) || stores.includes(store))
    .sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));

const placeOf = ({ host, pool }: LimitedPool): string => `${host}.${pool}`;

interface Lanes {
  /** At most so many. */
  count: number;
  /** Works until nothing is left to do. */
  lane: () => Promise<void>;
  waiter: Waiter & { isEnough: () => boolean };
}

/** A lane is begun with each stream that there is; only one asks at a time, and none when nothing is left for it. */
export async function settleInStreams(
  pools: readonly LimitedPool[],
  { count, lane, waiter }: Lanes,
): Promise<PromiseSettledResult<void>[]> {
  const own = new Set<string>();
  const lanes: Promise<PromiseSettledResult<void>[]>[] = [];
  const ask = async (): Promise<void> => {
    while (lanes.length < count && !waiter.isEnough()) {
      const giveBack = await takeStreams(pools, own, waiter);
      // Settled at once: a lane may fail while the next one is still asked for.
      lanes.push(Promise.allSettled([lane().finally(giveBack)]));
    }
  };
  const asked = await Promise.allSettled([ask()]);
  return [...asked, ...(await Promise.all(lanes)).flat()];
}

/** One lease of each pool or, while it waits for one and when it is enough without, none. */
async function takeStreams(
  pools: readonly LimitedPool[],
  own: Set<string>,
  waiter: Lanes['waiter'],
): Promise<() => Promise<void>> {
  const leases = pools.map(({ host, pool, streams }) => streamLeases(host, pool, streams));
  const taken = new Map<string, Release>();
  try {
    await retry(waiter, async () => (waiter.isEnough() ? [] : takeOneOfEach(leases, own, taken)));
  } catch (error) {
    for (const lease of leases.flat()) forgetWait(waiter, lease);
    waiter.report.waitFor(undefined, waiter.branch);
    await releaseTogether([...taken.values()]);
    throw error;
  }
  for (const lease of taken.keys()) own.add(lease);
  return async () => {
    for (const lease of taken.keys()) own.delete(lease);
    await releaseTogether([...taken.values()]);
  };
}

/** All leases of the first pool that has none left, after what was taken of the others is given back; nothing when one of each is ours. */
async function takeOneOfEach(
  pools: readonly string[][],
  own: ReadonlySet<string>,
  taken: Map<string, Release>,
): Promise<string[]> {
  for (const leases of pools) {
    if (await takeOne(leases, own, taken)) continue;
    await releaseTogether([...taken.values()]);
    taken.clear();
    return leases;
  }
  return [];
}

async function takeOne(
  leases: readonly string[],
  own: ReadonlySet<string>,
  taken: Map<string, Release>,
): Promise<boolean> {
  for (const lease of leases) {
    const release = own.has(lease) ? undefined : await tryLease(lease, workflowInfo().workflowId);
    if (!release) continue;
    taken.set(lease, release);
    return true;
  }
  return false;
}
