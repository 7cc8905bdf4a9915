import { createHash } from 'node:crypto';
import type { Config } from '../config/schema.js';
import { canonical } from './fingerprint.js';

/** A digest for each section of a configuration as it is really used: defaults filled in, order and comments without meaning. */
export const configurationDigests = (config: Config): Record<string, string> =>
  Object.fromEntries(
    Object.entries(config).map(([section, value]) => [
      section,
      createHash('sha256').update(canonical(value)).digest('hex').slice(0, 32),
    ]),
  );
