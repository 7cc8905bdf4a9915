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

/**
 * As to the end, but nothing is held while it waits: what others need is not kept from them for as long as somebody's restore waits for its
 * yes. Whoever takes leases in this way is no link in a chain of runs that wait for each other.
 */
export async function withLeasesAtOnce<T>(
  leases: string[],
  report: Report,
  body: () => Promise<T>,
): Promise<T> {
  await retry(report, async () => {
    const missing = await takeOrNone(leases);
    return missing === undefined ? [] : [missing];
  });
  return body();
}

/** Any one of them is enough; it ends with the run. */
export async function withAnyLease<T>(leases: string[], report: Report, body: () => Promise<T>): Promise<T> {
  const run = workflowInfo().workflowId;
  await retry(report, async () => {
    for (const lease of leases) if (await tryLease(lease, run)) return [];
    return leases;
  });
  return body();
}

type Release = () => Promise<void>;

/** Until the attempt misses nothing any more; in between it waits for one of what it missed. */
async function retry(report: Report, attempt: () => Promise<string[]>): Promise<void> {
  let waited: string[] = [];
  for (let pauseMs = lookAgainFirstMs; ; pauseMs = longer(pauseMs)) {
    const missing = await attempt();
    // An answer may come late, when that lease is not waited for any more.
    for (const lease of waited) if (!missing.includes(lease)) waitsOf(report).delete(lease);
    if (missing.length === 0) break;
    waited = missing;
    await untilFree(missing, report, pauseMs);
  }
  report.waitFor(undefined);
}

/** The first that somebody else has; undefined when all are ours now. */
async function takeOrNone(leases: string[]): Promise<string | undefined> {
  const releases: Release[] = [];
  for (const lease of [...new Set(leases)].sort()) {
    const release = await tryLease(lease, workflowInfo().workflowId);
    if (!release) {
      await releaseAll(releases);
      return lease;
    }
    releases.push(release);
  }
  return undefined;
}

async function takeAll(leases: string[], report: Report, releases: Release[]): Promise<void> {
  for (const lease of [...new Set(leases)].sort()) releases.push(await takeLease(lease, report));
  report.waitFor(undefined);
}

const releaseAll = (releases: Release[]): Promise<void> =>
  CancellationScope.nonCancellable(async () => {
    for (const release of releases.reverse()) await release();
  });

async function takeLease(lease: string, report: Report): Promise<Release> {
  const run = workflowInfo().workflowId;
  for (let pauseMs = lookAgainFirstMs; ; pauseMs = longer(pauseMs)) {
    const held = await tryLease(lease, run);
    if (held) {
      waitsOf(report).delete(lease);
      return held;
    }
    await untilFree([lease], report, pauseMs);
  }
}

const longer = (pauseMs: number): number => Math.min(2 * pauseMs, lookAgainLastMs);

/** Until one of them was given back, or it is time to look again. */
async function untilFree(leases: string[], report: Report, pauseMs: number): Promise<void> {
  const run = workflowInfo().workflowId;
  const waits = waitsOf(report);
  const own = leases.map((lease) => {
    const wait: Wait = { holder: waits.get(lease)?.holder ?? 'another run', free: false };
    waits.set(lease, wait);
    return wait;
  });
  report.waitFor(leases.map((lease, at) => `${lease}, used by ${own[at]?.holder}`).join('; '));
  const asked = await Promise.all(leases.map((lease) => tell(leaseId(lease), leaseWaiting, { lease, run })));
  const wait = leases.length > 1 ? `one of ${leases.join(', ')}` : leases.join();
  if (asked.every(Boolean))
    await condition(() => own.some(({ free }) => free), pauseMs, {
      summary: `wait for ${wait}`.slice(0, 200),
    });
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
