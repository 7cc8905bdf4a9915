import { statSync } from 'node:fs';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';

/** The host's own configuration, read again when the file has changed: an edit needs no restart, and a broken one fails the step with words. */
export function watchConfig(file: string): () => Config {
  let known: { stamp: string; config: Config } | undefined;
  return () => {
    const { mtimeMs, size, ino } = statSync(file);
    const stamp = `${mtimeMs}-${size}-${ino}`;
    if (known?.stamp !== stamp) known = { stamp, config: loadConfig(file) };
    return known.config;
  };
}
