import { ticks } from '../../system/clock.js';
import type { Restic } from './driver.js';
import type { BackupStatus } from './parse.js';

/** Turns restic's status lines into our progress, with a rate measured over the last half minute; none before there is enough to measure. */
export function followProgress({ progress }: Pick<Restic, 'progress'>, phase: string) {
  const windowMs = 30_000;
  // restic calls bytes done that it only had to read; at first these are all that there is.
  const leastMs = 5_000;
  let seen: { atMs: number; bytes: number }[] = [];
  progress({ phase });
  return (status: BackupStatus): void => {
    const atMs = ticks();
    seen = [...seen.filter((point) => atMs - point.atMs < windowMs), { atMs, bytes: status.bytesDone }];
    const [first] = seen;
    const passedMs = atMs - (first?.atMs ?? atMs);
    const moved = status.bytesDone - (first?.bytes ?? 0);
    const { bytesDone, bytesTotal, filesDone, filesTotal, secondsLeft } = status;
    progress({
      phase,
      bytesDone,
      bytesTotal,
      filesDone,
      filesTotal,
      bytesPerSecond: passedMs >= leastMs ? Math.round((moved * 1000) / passedMs) : 0,
      secondsLeft,
    });
  };
}
