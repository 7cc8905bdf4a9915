import { isCancellation } from '@temporalio/workflow';
import { diagnose, failure } from './failure.js';

/** One after the other; a failure does not keep the rest from being done, and is told at the end with all others. */
export async function each<T, R>(things: T[], body: (thing: T) => Promise<R>): Promise<R[]> {
  return resultsOf(await settleEach(things, body));
}

/** All at the same time: one that waits for hours does not delay the others. Told at the end as by `each`. */
export async function sideBySide<T, R>(things: T[], body: (thing: T) => Promise<R>): Promise<R[]> {
  return resultsOf(await settleSideBySide(things, body));
}

/** All at the same time, failures among the results. */
export const settleSideBySide = <T, R>(
  things: T[],
  body: (thing: T) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> => Promise.allSettled(things.map(body));

/** One after the other, failures among the results; only a cancellation ends it. */
export async function settleEach<T, R>(
  things: T[],
  body: (thing: T) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const settled: PromiseSettledResult<R>[] = [];
  for (const thing of things) {
    try {
      settled.push({ status: 'fulfilled', value: await body(thing) });
    } catch (reason) {
      if (isCancellation(reason)) throw reason;
      settled.push({ status: 'rejected', reason });
    }
  }
  return settled;
}

/** The results when all went well, else one failure with the words of all. */
export function resultsOf<R>(settled: PromiseSettledResult<R>[]): R[] {
  const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const [first, ...more] = failures;
  if (first === undefined) {
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }
  const cancelled = failures.find((reason) => isCancellation(reason));
  if (cancelled !== undefined) throw cancelled;
  if (more.length === 0) throw first;
  const { code, message } = diagnose(first);
  const others = more.map((error) => diagnose(error).message);
  throw failure(code, [message, ...others].join('; also: '));
}
