import { statSync } from 'node:fs';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { now } from '../system/clock.js';

const settleMs = 5_000;

/** The host's own configuration, read again when the file has changed: an edit needs no restart, and a broken one fails the step with words. */
export function watchConfig(file: string, clock = now): () => Config {
  let known: { stamp: string; config: Config } | undefined;
  let missingSince: number | undefined;
  return () => {
    const stats = statSync(file, { throwIfNoEntry: false });
    const at = clock().getTime();
    missingSince = stats === undefined ? (missingSince ?? at) : undefined;
    const stamp = stats && `${stats.mtimeMs}-${stats.size}-${stats.ino}`;
    if (known && known.stamp === stamp) return known.config;
    try {
      known = { stamp: stamp ?? '', config: loadConfig(file) };
    } catch (error) {
      // Some editors write in place, others delete and write anew: for a moment the file is empty, half there or gone.
      const since = missingSince ?? stats?.mtimeMs ?? 0;
      if (known === undefined || at - since > settleMs) throw error;
    }
    return known.config;
  };
}
