import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  patched,
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
  const releases: Release[] = [];
  try {
    await takeAll(leases, report, releases);
    return await body();
  } finally {
    await releaseAll(releases);
  }
}

/**
 * The same for the last that a run does: the leases end with it, because Temporal asks them to when their parent has ended. Giving each back
 * costs a workflow task, and one more that fails, because the answer comes while the run ends.
 */
export async function withLeasesToTheEnd<T>(
  leases: string[],
  report: Report,
  body: () => Promise<T>,
): Promise<T> {
  const releases: Release[] = [];
  try {
    await takeAll(leases, report, releases);
    return await body();
  } finally {
    if (!patched('2026-11-leases-end-with-their-run')) await releaseAll(releases);
  }
}

type Release = () => Promise<void>;

async function takeAll(leases: string[], report: Report, releases: Release[]): Promise<void> {
  for (const lease of [...new Set(leases)].sort()) releases.push(await takeLease(lease, report));
  report.waitFor(undefined);
}

const releaseAll = (releases: Release[]): Promise<void> =>
  CancellationScope.nonCancellable(async () => {
    for (const release of releases.reverse()) await release();
  });

async function takeLease(lease: string, report: Report): Promise<() => Promise<void>> {
  const run = workflowInfo().workflowId;
  const wait: Wait = { holder: 'another run', free: false };
  const waits = waitsOf(report);
  waits.set(lease, wait);
  for (let pauseMs = lookAgainFirstMs; ; pauseMs = Math.min(2 * pauseMs, lookAgainLastMs)) {
    const held = await tryLease(lease, run);
    if (held) {
      waits.delete(lease);
      return held;
    }
    wait.free = false;
    report.waitFor(`${lease}, used by ${wait.holder}`);
    const asked = await tell(leaseId(lease), leaseWaiting, { lease, run });
    if (asked) await condition(() => wait.free, pauseMs, { summary: `wait for ${lease}` });
  }
}

/** One lease that is waited for. */
interface Wait {
  holder: string;
  free: boolean;
}

const waitsOfRuns = new WeakMap<Report, Map<string, Wait>>();

/** A run may wait for several leases at the same time; a signal has one handler. */
function waitsOf(report: Report): Map<string, Wait> {
  const known = waitsOfRuns.get(report);
  if (known) return known;
  const waits = new Map<string, Wait>();
  waitsOfRuns.set(report, waits);
  setHandler(leaseHeld, ({ lease, run }) => {
    const wait = waits.get(lease);
    if (!wait) return;
    wait.holder = run;
    report.waitFor(`${lease}, used by ${run}`);
  });
  setHandler(leaseFree, ({ lease }) => {
    const wait = waits.get(lease);
    if (wait) wait.free = true;
  });
  return waits;
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
