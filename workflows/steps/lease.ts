import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ParentClosePolicy,
  patched,
  startChild,
  type WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { leaseId, workflowQueue, workflowTypes } from '../../contracts/names.js';
import {
  forgetWait,
  type LeaseNotice,
  longer,
  lookAgainFirstMs,
  releaseLease,
  untilFree,
  type Waiter,
} from './lease-wait.js';
import type { Report } from './report.js';

/** A lease is a child workflow with a fixed id: Temporal itself allows only one, and asks it to end when its holder is gone. */

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
  await takeAtOnce(leases, { report }, []);
  return body();
}

/** One of several things that a run works on side by side, with the leases that this one needs. */
export interface Branch {
  name: string;
  leases: string[];
}

/** Asked only where a run has several stores, because the answer costs two events. */
export const eachStoreByItself = '2026-11-each-store-is-leased-by-itself';

/**
 * Each branch takes its own leases at once and gives them back when its work has ended, however long the others go on: no branch holds
 * anything while it waits, and none waits for another one. The leases of the last one end with the run.
 */
export function withLeasesApart<T>(
  branches: Branch[],
  report: Report,
  body: (name: string) => Promise<T>,
): Promise<PromiseSettledResult<T>[]> {
  let open = branches.length;
  const work = (branch: Branch): Promise<T> =>
    withLeasesOf(
      branch,
      report,
      () =>
        body(branch.name).finally(() => {
          open -= 1;
        }),
      () => open > 0,
    );
  return Promise.allSettled(branches.map(work));
}

/** One branch of such a run. */
export async function withLeasesOf<T>(
  { name, leases }: Branch,
  report: Report,
  body: () => Promise<T>,
  givesBack = () => true,
): Promise<T> {
  const releases: Release[] = [];
  try {
    await takeAtOnce(leases, { report, branch: name }, releases);
    return await body();
  } finally {
    for (const lease of leases) forgetWait({ report, branch: name }, lease);
    report.waitFor(undefined, name);
    if (givesBack()) await releaseTogether(releases);
  }
}

/** Any one of them is enough; it ends with the run. */
export async function withAnyLease<T>(leases: string[], report: Report, body: () => Promise<T>): Promise<T> {
  const run = workflowInfo().workflowId;
  await retry({ report }, async () => {
    for (const lease of leases) if (await tryLease(lease, run)) return [];
    return leases;
  });
  return body();
}

export type Release = () => Promise<void>;

/** Until the attempt misses nothing any more; in between it waits for one of what it missed. */
export async function retry(waiter: Waiter, attempt: () => Promise<string[]>): Promise<void> {
  let waited: string[] = [];
  for (let pauseMs = lookAgainFirstMs; ; pauseMs = longer(pauseMs)) {
    const missing = await attempt();
    for (const lease of waited) if (!missing.includes(lease)) forgetWait(waiter, lease);
    if (missing.length === 0) break;
    waited = missing;
    await untilFree(missing, pauseMs, waiter);
  }
  waiter.report.waitFor(undefined, waiter.branch);
}

const takeAtOnce = (leases: string[], waiter: Waiter, releases: Release[]): Promise<void> =>
  retry(waiter, async () => {
    const missing = await takeOrNone(leases, releases);
    return missing === undefined ? [] : [missing];
  });

/** The first that somebody else has; undefined when all are ours now. */
async function takeOrNone(leases: string[], releases: Release[]): Promise<string | undefined> {
  for (const lease of [...new Set(leases)].sort()) {
    const release = await tryLease(lease, workflowInfo().workflowId);
    if (!release) {
      await releaseAll(releases.splice(0));
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

/** In one workflow task, where nobody minds the order. */
export const releaseTogether = (releases: Release[]): Promise<unknown> =>
  CancellationScope.nonCancellable(() => Promise.all(releases.map((release) => release())));

async function takeLease(lease: string, report: Report): Promise<Release> {
  const run = workflowInfo().workflowId;
  for (let pauseMs = lookAgainFirstMs; ; pauseMs = longer(pauseMs)) {
    const held = await tryLease(lease, run);
    if (held) {
      forgetWait({ report }, lease);
      return held;
    }
    await untilFree([lease], pauseMs, { report });
  }
}

/** Not cancellable: a lease that starts while its run is being cancelled must still be known, to be released. */
export function tryLease(lease: string, run: string): Promise<Release | undefined> {
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
