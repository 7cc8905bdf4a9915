import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { leaseId, signalNames } from '../../contracts/names.js';
import { throwIfCancelled } from './cancelled.js';
import type { Report } from './report.js';

/** Waiting for leases that others hold: what waiter and holder tell each other, and what the report says of it. */

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
export const lookAgainFirstMs = 60_000;
const lookAgainLastMs = 60 * 60_000;

/** The next pause between two looks. */
export const longer = (pauseMs: number): number => Math.min(2 * pauseMs, lookAgainLastMs);

/** A run, or one of its branches. */
export interface Waiter {
  report: Report;
  branch?: string;
  /** What it wanted leases for is done without them. */
  isEnough?: () => boolean;
}

/** Until one of them was given back, or it is time to look again. */
export async function untilFree(leases: string[], pauseMs: number, waiter: Waiter): Promise<void> {
  const { report, branch, isEnough = () => false } = waiter;
  const run = workflowInfo().workflowId;
  const waits = waitsOf(report);
  const own = leases.map((lease) => {
    const key = keyOf(lease, branch);
    const wait: Wait = { lease, holder: waits.get(key)?.holder ?? 'another run', free: false, branch };
    waits.set(key, wait);
    return wait;
  });
  report.waitFor(leases.map((lease, at) => `${lease}, used by ${own[at]?.holder}`).join('; '), branch);
  const asked = await Promise.all(leases.map((lease) => tell(leaseId(lease), leaseWaiting, { lease, run })));
  const wait = leases.length > 1 ? `one of ${leases.join(', ')}` : leases.join();
  if (asked.every(Boolean))
    await condition(() => isEnough() || own.some(({ free }) => free), pauseMs, {
      summary: `wait for ${wait}`.slice(0, 200),
    });
}

/** The lease is not waited for any more: an answer that comes late says nothing. */
export const forgetWait = ({ report, branch }: Waiter, lease: string): void =>
  void waitsOf(report).delete(keyOf(lease, branch));

/** Two branches may wait for the same one. */
const keyOf = (lease: string, branch = ''): string => `${lease} ${branch}`;

/** One lease that is waited for. */
interface Wait {
  lease: string;
  holder: string;
  free: boolean;
  branch: string | undefined;
}

const waitsOfRuns = new WeakMap<Report, Map<string, Wait>>();

/** A run may wait for several leases at the same time; a signal has one handler. */
function waitsOf(report: Report): Map<string, Wait> {
  const known = waitsOfRuns.get(report);
  if (known) return known;
  const waits = new Map<string, Wait>();
  waitsOfRuns.set(report, waits);
  setHandler(leaseHeld, ({ lease, run }) => {
    for (const wait of waits.values()) {
      if (wait.lease !== lease) continue;
      wait.holder = run;
      report.waitFor(`${lease}, used by ${run}`, wait.branch);
    }
  });
  setHandler(leaseFree, ({ lease }) => {
    for (const wait of waits.values()) if (wait.lease === lease) wait.free = true;
  });
  return waits;
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
  } catch (error) {
    throwIfCancelled(error);
    return false;
  }
}
