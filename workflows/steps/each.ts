import { isCancellation } from '@temporalio/workflow';
import { diagnose, failure } from './failure.js';

/** One after the other; a failure does not keep the rest from being done, and is told at the end with all others. */
export async function each<T, R>(things: T[], body: (thing: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  for (const thing of things) {
    try {
      results.push(await body(thing));
    } catch (error) {
      if (isCancellation(error)) throw error;
      failures.push(error);
    }
  }
  const [first, ...more] = failures;
  if (first === undefined) return results;
  if (more.length === 0) throw first;
  const { code, message } = diagnose(first);
  const others = more.map((error) => diagnose(error).message);
  throw failure(code, [message, ...others].join('; also: '));
}
