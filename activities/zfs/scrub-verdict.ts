import { HoldfastError } from '../../contracts/errors.js';
import type { PoolStatus } from './pool-status.js';

/** What a finished scrub says about its pool. Pure. */

export interface ScrubVerdict {
  repairedBytes: number;
  /** ISO 8601 UTC. */
  endedAt: string;
  warnings: string[];
}

const namedAtMost = 3;

/** Damage that is left is a failure, damage that was repaired a warning: a disk has made it. */
export function judgeScrub({ pool, scan, state, errorCount, errorFiles }: PoolStatus): ScrubVerdict {
  const errors = Math.max(scan?.errors ?? 0, errorCount);
  if (errors > 0) {
    const named = errorFiles.slice(0, namedAtMost).join(', ');
    const more = errorFiles.length > namedAtMost ? ` and ${errorFiles.length - namedAtMost} more` : '';
    const what = `${errors} errors in ${pool} could not be repaired${named ? `: ${named}${more}` : ''}`;
    throw new HoldfastError('HF_POOL_DAMAGED', `${what.slice(0, 230)}. "zpool status -v" names all files`, {
      errors,
      files: errorFiles.length,
    });
  }
  const repairedBytes = scan?.repairedBytes ?? 0;
  return {
    repairedBytes,
    endedAt: new Date((scan?.endedS ?? 0) * 1000).toISOString(),
    warnings: [
      ...(repairedBytes > 0
        ? [
            `${pool}: ${repairedBytes} bytes were damaged and are repaired; "zpool status" shows on which disk`,
          ]
        : []),
      ...(state === 'ONLINE' ? [] : [`${pool} is ${state}: look at "zpool status" on the host`]),
    ],
  };
}
