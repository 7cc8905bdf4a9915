import { statSync } from 'node:fs';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { now } from '../system/clock.js';

const settleMs = 5_000;

/** The host's own configuration, read again when the file has changed: an edit needs no restart, and a broken one fails the step with words. */
export function watchConfig(file: string): () => Config {
  let known: { stamp: string; config: Config } | undefined;
  return () => {
    const { mtimeMs, size, ino } = statSync(file);
    const stamp = `${mtimeMs}-${size}-${ino}`;
    if (known?.stamp === stamp) return known.config;
    try {
      known = { stamp, config: loadConfig(file) };
    } catch (error) {
      // Some editors write in place: for a moment the file is empty or half there.
      if (known === undefined || now().getTime() - mtimeMs > settleMs) throw error;
    }
    return known.config;
  };
}
