import type { Worker } from '@temporalio/worker';
import type { Log } from '../system/log.js';

/** A child gets its stop signal at once and 30 s to clean up (system/run); then there is nothing left to wait for. */
export const shutdownLimits = { shutdownGraceTime: 0, shutdownForceTime: '60s' } as const;

/** Resolves when the process is asked to end; asked again, it goes on draining. */
export function untilAskedToEnd(log: Log): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        log.info({ signal }, 'asked to end: stopping the tools that run, their steps are done again later');
        resolve(signal);
      });
    }
  });
}

/** Runs workers until the process is asked to end (or `ended` resolves), then drains them all. */
export async function runUntil(workers: Worker[], ended: Promise<unknown>): Promise<void> {
  const running = workers.map((worker) => worker.run());
  const all = Promise.all(running);
  await Promise.race([ended, all]);
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  await all;
}
