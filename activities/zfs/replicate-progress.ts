import type { Progress } from '../../contracts/jobs.js';
import { ticks } from '../../system/clock.js';
import { secondsLeftAt } from '../restic/seed-progress.js';

/** How fast a pipe of streams is, measured over the last half minute; none before there is enough to measure. */

const windowMs = 30_000;
const leastMs = 5_000;

type Moved = Pick<Progress, 'bytesDone' | 'bytesTotal' | 'bytesPerSecond' | 'secondsLeft'>;

/** `alreadyBytes` had arrived before this attempt: it counts as done, and not as speed. */
export function rateMeter(): (at: { bytesDone: number; bytesTotal: number; alreadyBytes: number }) => Moved {
  let seen: { atMs: number; bytes: number }[] = [];
  return ({ bytesDone, bytesTotal, alreadyBytes }) => {
    const atMs = ticks();
    seen = [...seen.filter((point) => atMs - point.atMs < windowMs), { atMs, bytes: bytesDone }];
    const [first] = seen;
    const passedMs = atMs - (first?.atMs ?? atMs);
    const moved = bytesDone - (first?.bytes ?? 0);
    const rate = passedMs >= leastMs ? Math.round((moved * 1000) / passedMs) : 0;
    // What was estimated too small is not more than done.
    const total = Math.max(bytesTotal, bytesDone);
    const secondsLeft = secondsLeftAt(total - bytesDone, rate);
    return {
      bytesDone: alreadyBytes + bytesDone,
      bytesTotal: alreadyBytes + total,
      bytesPerSecond: rate,
      ...(secondsLeft !== undefined && { secondsLeft }),
    };
  };
}
