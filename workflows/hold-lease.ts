import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import {
  type LeaseNotice,
  leaseFree,
  leaseHeld,
  leaseWaiting,
  releaseLease,
  tell,
} from './steps/lease-wait.js';

/**
 * Holds one lease for one run. Ends when the run releases it, or when Temporal asks it to, because the run has ended in whatever way;
 * whoever waits is told, both for whom it waits and when it need not wait any longer.
 */
export async function holdLease({ lease, run }: LeaseNotice): Promise<void> {
  const waiting = new Set<string>();
  let released = false;
  setCurrentDetails(`${lease} is used by ${run}`);
  setHandler(releaseLease, () => {
    released = true;
  });
  setHandler(leaseWaiting, (notice) =>
    CancellationScope.nonCancellable(async () => {
      waiting.add(notice.run);
      await tell(notice.run, leaseHeld, { lease, run });
    }),
  );
  await condition(() => released).catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  await CancellationScope.nonCancellable(async () => {
    while (waiting.size > 0 || !allHandlersFinished()) {
      const told = [...waiting];
      waiting.clear();
      await Promise.all(told.map((waiter) => tell(waiter, leaseFree, { lease, run })));
      await condition(allHandlersFinished);
    }
  });
}
