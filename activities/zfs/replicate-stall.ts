import { ticks } from '../../system/clock.js';

/** A stream whose other end hangs would hang for ever: what moves nothing for too long is ended, and gone on with by its token. */

export interface StallGuard {
  /** Aborts with the caller's own signal, or when nothing has moved. */
  signal: AbortSignal;
  /** Said again and again; only what goes further counts. */
  at(position: number): void;
  /** In words, once it has given up. */
  stalled(): string | undefined;
  stop(): void;
}

/** `afterMs`: so long may nothing move. Milliseconds. */
export function stallGuard(signal: AbortSignal, afterMs: number): StallGuard {
  const own = new AbortController();
  let furthest = -1;
  let movedAt = ticks();
  const timer = setInterval(
    () => {
      if (ticks() - movedAt > afterMs) own.abort();
    },
    Math.min(1000, afterMs),
  );
  return {
    signal: AbortSignal.any([signal, own.signal]),
    at(position) {
      if (position <= furthest) return;
      furthest = position;
      movedAt = ticks();
    },
    // Who was cancelled has not stalled.
    stalled: () =>
      own.signal.aborted && !signal.aborted
        ? `nothing moved for ${Math.round(afterMs / 1000)} s, so it was ended`
        : undefined,
    stop: () => clearInterval(timer),
  };
}
