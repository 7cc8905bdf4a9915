import type { Progress } from '../../contracts/jobs.js';
import { ticks } from '../../system/clock.js';
import type { Restic } from './driver.js';

/** How far the first upload is as a whole, from what restic says about one portion of it. */

export interface Position {
  phase: string;
  /** Of the portions that are done, as the source was measured. */
  bytesBefore: number;
  portionBytes: number;
  bytesTotal: number;
  filesTotal: number;
  /** What restic counted in the part before this one: it goes over all that again, but uploads nothing of it. */
  readBefore: number;
  /** Measured over the portion before this one; 0 when there is none. */
  bytesPerSecondBefore: number;
}

/** The rate of the first seconds says little about days. */
const firstRateAfterMs = 60_000;

/** Turns restic's own counts, which begin anew with each portion, into those of the whole upload. */
export function seedProgress({ progress }: Pick<Restic, 'progress'>, at: Position) {
  let firstNewAtMs: number | undefined;
  return (own: Partial<Progress>): void => {
    if (own.bytesDone === undefined) {
      progress(own);
      return;
    }
    const newBytes = Math.max(0, own.bytesDone - at.readBefore);
    if (newBytes > 0) firstNewAtMs ??= ticks();
    const passedMs = ticks() - (firstNewAtMs ?? ticks());
    const bytesPerSecond =
      passedMs >= firstRateAfterMs || at.bytesPerSecondBefore === 0
        ? (newBytes * 1000) / Math.max(1000, passedMs)
        : at.bytesPerSecondBefore;
    const bytesDone = at.bytesBefore + Math.min(newBytes, at.portionBytes);
    const { bytesTotal, filesTotal } = at;
    const secondsLeft = secondsLeftAt(bytesTotal - bytesDone, bytesPerSecond);
    progress({
      ...own,
      bytesDone,
      bytesTotal,
      filesTotal,
      newBytes,
      bytesPerSecond: Math.round(bytesPerSecond),
      secondsLeft,
    });
  };
}

/** Undefined while nothing is known of the rate. */
export const secondsLeftAt = (bytes: number, bytesPerSecond: number): number | undefined =>
  bytesPerSecond > 0 ? Math.round(Math.max(0, bytes) / bytesPerSecond) : undefined;
