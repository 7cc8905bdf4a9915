/** Whether a copy holds what copies of this resource usually hold. Pure. */

export interface Counts {
  files: number;
  bytes: number;
}

/** So many of the newest good copies are the measure. */
const measureOf = 5;
/** A copy with fewer files than this share of the usual is not believed. */
const leastShare = 0.5;
/** All the names are still there, and next to nothing in them. Where files have gone, sizes say nothing: a removed disk image is no alarm. */
const leastShareOfBytes = 0.05;

const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
};

/**
 * Why a copy is not believed; undefined when it is. `earlier` are the counts of good copies, oldest first.
 * `mustHoldFiles`: the configuration demands files or bytes of the source.
 */
export function whyImplausible(
  copy: Counts,
  earlier: readonly Counts[],
  mustHoldFiles: boolean,
): string | undefined {
  const measure = earlier.slice(-measureOf);
  const usualFiles = median(measure.map(({ files }) => files));
  if (measure.length > 0 && copy.files < usualFiles * leastShare) {
    return `it holds ${copy.files} files, the last ${measure.length} good ones usually ${usualFiles}`;
  }
  const usualBytes = median(measure.map(({ bytes }) => bytes));
  const namesThere = measure.length > 0 && copy.files >= usualFiles;
  if (namesThere && copy.bytes < usualBytes * leastShareOfBytes) {
    return `it holds ${copy.bytes} bytes in ${copy.files} files, the last ${measure.length} good ones usually ${usualBytes} bytes`;
  }
  if (mustHoldFiles && copy.files === 0) return 'it holds no file at all';
  return undefined;
}
