import { setTimeout as pause } from 'node:timers/promises';

/** The only place that reads the time, so that tests and reviews know where it comes from. */

export const now = (): Date => new Date();

export const isoNow = (): string => now().toISOString();

/** For durations: does not jump when the clock is set. Milliseconds. */
export const ticks = (): number => performance.now();

/** Waits, but no longer than anybody wants the result. Milliseconds. */
export const wait = (forMs: number, signal: AbortSignal): Promise<void> =>
  pause(forMs, undefined, { signal });
