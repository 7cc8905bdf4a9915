import { setTimeout as wait } from 'node:timers/promises';
import { HoldfastError } from '../contracts/errors.js';
import { ticks } from '../system/clock.js';
import type { Log } from '../system/log.js';
import type { EmbeddedServer } from './server.js';

/** The embedded server for as long as `up` runs: one that dies is started again, and runs wait for it and go on. */

export interface KeptServer {
  current(): EmbeddedServer;
  /** Resolves when the server is gone and is not tried again; never in a good life. */
  lost: Promise<void>;
  /** Why it was lost. */
  reason(): unknown;
  stop(): Promise<void>;
}

interface Ways {
  start(isFirst: boolean): Promise<EmbeddedServer>;
  stop(server: EmbeddedServer): Promise<void>;
  /** One before each new start; after the last of them nobody tries again. */
  pausesMs?: readonly number[];
  /** A server that has run for so long has started well: the pauses begin anew. */
  settledAfterMs?: number;
}

/** Four minutes: a disk that is full for a moment passes, and what stays is for systemd and people to see. */
const growingPausesMs = [1_000, 2_000, 5_000, 15_000, 30_000, 60_000, 120_000];

/** Starts the server, and again whenever it dies; what fails the first time fails at once. */
export async function keepServer(ways: Ways, log: Log): Promise<KeptServer> {
  const kept: Kept = { ...ways, server: await ways.start(true), log, stopping: new AbortController() };
  const watching = watch(kept);
  let reason: unknown;
  const lost = new Promise<void>((resolve) => {
    void watching.then((why) => {
      if (why === undefined) return;
      reason = why;
      resolve();
    });
  });
  return {
    current: () => kept.server,
    lost,
    reason: () => reason,
    stop: async () => {
      kept.stopping.abort();
      // Of one that was lost the number may be another program's by now.
      if (reason === undefined) await ways.stop(kept.server);
      await watching;
    },
  };
}

interface Kept extends Ways {
  server: EmbeddedServer;
  log: Log;
  stopping: AbortController;
}

/** Answers why it gave up; undefined when it was asked to stop. */
async function watch(kept: Kept): Promise<unknown> {
  const { log, pausesMs = growingPausesMs, settledAfterMs = 60_000 } = kept;
  const { signal } = kept.stopping;
  let reason: unknown = endsByItself();
  for (let tried = 0; ; tried += 1) {
    const since = ticks();
    await kept.server.daemon.ended;
    if (ticks() - since > settledAfterMs) tried = 0;
    const pauseMs = pausesMs[tried];
    if (signal.aborted) return undefined;
    if (pauseMs === undefined) return reason;
    log.error({ pauseMs }, 'the embedded server ended by itself: starting it again');
    await wait(pauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return undefined;
    try {
      kept.server = await kept.start(false);
      reason = endsByItself();
      // Asked to end while it was starting: nobody else would stop this one.
      if (signal.aborted) await kept.stop(kept.server);
    } catch (error) {
      reason = error;
      log.error({ reason: String(error) }, 'the embedded server cannot be started again');
    }
  }
}

const endsByItself = (): HoldfastError =>
  new HoldfastError(
    'HF_TEMPORAL_UNREACHABLE',
    'The embedded server ends by itself soon after each start; its log is logs/temporal-server.log in the state folder',
  );
