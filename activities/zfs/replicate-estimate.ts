import type { Ends } from './replicate-ends.js';
import { type Stream, streamsOf } from './replicate-streams.js';
import type { DatasetPlan } from './replicate-types.js';

/** Exact sizes where they matter: of the few large streams, by one command for all of them. What the listing says is good enough for the rest. */

const worthAsking = 2 ** 30;
const askedAtMost = 20;
/** Each costs a zfs: the sizes of a backlog of thousands would take longer than they are worth. */
const streamsAtMost = 1000;

/** Plans with the sizes that zfs itself reckons; small runs ask nothing. What is left of a stream that was cut no listing tells. */
export async function withExactSizes(ends: Ends, plans: readonly DatasetPlan[]): Promise<DatasetPlan[]> {
  const large = plans
    .filter(({ bytes, resume }) => bytes >= worthAsking || resume !== undefined)
    .sort((one, other) => other.bytes - one.bytes)
    .slice(0, askedAtMost);
  if (large.length === 0) return [...plans];
  const streams: Stream[] = [];
  for (const own of large.map(streamsOf))
    if (streams.length + own.length <= streamsAtMost) streams.push(...own);
  const sizes = await ends.sizes(streams);
  const exact = new Map<string, number>();
  for (const plan of large) {
    const own = streams.flatMap(({ target }, index) => (target === plan.target ? [sizes[index]] : []));
    // One that cannot be told leaves the estimate: a snapshot that vanished is found by the stream itself.
    if (own.length > 0 && own.every((size) => size !== undefined))
      exact.set(
        plan.target,
        own.reduce((sum: number, size) => sum + (size ?? 0), 0),
      );
  }
  return plans.map((plan) => ({ ...plan, bytes: exact.get(plan.target) ?? plan.bytes }));
}

/** What `zfs send -nP` says: "size" and a number of bytes, on a line of its own. */
export const sizeIn = (text: string): number | undefined => {
  const [, size] = /^size\t(\d+)$/m.exec(text) ?? [];
  return size === undefined ? undefined : Number(size);
};
