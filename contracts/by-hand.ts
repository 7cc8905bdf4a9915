import type { Limits } from './jobs.js';

/** What is started by hand alone. Only add optional fields. */

export interface InitialiseStoreInput {
  store: string;
  host: string;
  limits: Limits;
}

export interface ReadRunLogInput {
  host: string;
  run: string;
  /** How many of the newest lines. */
  lines: number;
}
