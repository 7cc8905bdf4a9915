import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  setHandler,
  startChild,
  type WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { leaseId, signalNames, workflowQueue, workflowTypes } from '../../contracts/names.js';
import type { Report } from './report.js';

/** A lease is a child workflow with a fixed id: Temporal itself allows only one, and asks it to end when its holder is gone. */

export interface LeaseNotice {
  lease: string;
  /** The run that holds the lease, or that waits for it. */
  run: string;
}

export const leaseWaiting = defineSignal<[LeaseNotice]>(signalNames.leaseWaiting);
export const leaseHeld = defineSignal<[LeaseNotice]>(signalNames.leaseHeld);
export const leaseFree = defineSignal<[LeaseNotice]>(signalNames.leaseFree);
export const releaseLease = defineSignal(signalNames.releaseLease);

/**
 * A wake-up can be lost with the workflow that owed it, so it is looked again, after a minute and then ever more rarely: each look
 * leaves twenty events here and ten with the holder, and the server ends a workflow that has 51,200 of them. Milliseconds.
 */
const lookAgainFirstMs = 60_000;
const lookAgainLastMs = 60 * 60_000;

/** Does the body while all leases are held; they are taken in one order by everyone, so that no two runs wait for each other. */
export async function withLeases<T>(leases: string[], report: Report, body: () => Promise<T>): Promise<T> {
  const releases: (() => Promise<void>)[] = [];
  try {
    for (const lease of [...new Set(leases)].sort()) releases.push(await takeLease(lease, report));
    report.waitFor(undefined);
    return await body();
  } finally {
    await CancellationScope.nonCancellable(async () => {
      for (const release of releases.reverse()) await release();
    });
  }
}

async function takeLease(lease: string, report: Report): Promise<() => Promise<void>> {
  const run = workflowInfo().workflowId;
  let holder = 'another run';
  let free = false;
  setHandler(leaseHeld, (notice) => {
    if (notice.lease !== lease) return;
    holder = notice.run;
    report.waitFor(`${lease}, used by ${holder}`);
  });
  setHandler(leaseFree, (notice) => {
    if (notice.lease === lease) free = true;
  });
  for (let pauseMs = lookAgainFirstMs; ; pauseMs = Math.min(2 * pauseMs, lookAgainLastMs)) {
    const held = await tryLease(lease, run);
    if (held) return held;
    free = false;
    report.waitFor(`${lease}, used by ${holder}`);
    const asked = await tell(leaseId(lease), leaseWaiting, { lease, run });
    if (asked) await condition(() => free, pauseMs, { summary: `wait for ${lease}` });
  }
}

/** Not cancellable: a lease that starts while its run is being cancelled must still be known, to be released. */
function tryLease(lease: string, run: string): Promise<(() => Promise<void>) | undefined> {
  return CancellationScope.nonCancellable(async () => {
    try {
      const child = await startChild(workflowTypes.holdLease, {
        workflowId: leaseId(lease),
        taskQueue: workflowQueue,
        args: [{ lease, run } satisfies LeaseNotice],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE' satisfies WorkflowIdReusePolicy,
        staticSummary: `${lease} is used by ${run}`,
      });
      return () => child.signal(releaseLease).catch(() => undefined);
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
      throw error;
    }
  });
}

/** False when the workflow is gone: what it would have answered is then answered by trying again. */
export async function tell(
  workflowId: string,
  signal: typeof leaseWaiting | typeof leaseHeld | typeof leaseFree,
  notice: LeaseNotice,
): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(signal, notice);
    return true;
  } catch {
    return false;
  }
}
