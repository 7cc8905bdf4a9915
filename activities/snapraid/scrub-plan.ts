import type { SnapraidJob } from '../../config/schema.js';
import type { ArrayStatus } from './parse-status.js';

/** How much is read tonight, so that every block is read in time. Pure. */

const dayMs = 86_400_000;

export interface ScrubPlan {
  percent: number;
  olderThanDays: number;
}

/** The promise is kept when every block that would be too old by the next time but one is read now. */
export function planScrub(
  { readAt, blocks }: Pick<ArrayStatus, 'readAt' | 'blocks'>,
  { percent, olderThan, everyBlockWithin }: SnapraidJob['scrub'],
  { nowMs, betweenMs }: { nowMs: number; betweenMs: number },
): ScrubPlan {
  const olderThanDays = Math.floor(olderThan / dayMs);
  if (everyBlockWithin === undefined || blocks === 0) return { percent, olderThanDays };
  const mayWaitMs = Math.max(0, everyBlockWithin - 2 * betweenMs);
  const due = readAt
    .filter(({ seconds }) => nowMs - seconds * 1000 > mayWaitMs)
    .reduce((sum, entry) => sum + entry.blocks, 0);
  // An even share each time, so that no night has to read it all; what is younger than "olderThan" is not read at all.
  const share = Math.ceil((100 * betweenMs) / Math.max(betweenMs, mayWaitMs - olderThan));
  const needed = Math.max(share, Math.ceil((100 * due) / blocks));
  return {
    percent: Math.min(100, Math.max(percent, needed)),
    olderThanDays: Math.min(olderThanDays, Math.floor(mayWaitMs / dayMs)),
  };
}
