import {
  CancellationScope,
  condition,
  defineSignal,
  proxyActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { ErrorCode } from '../../contracts/errors.js';
import type { Limits } from '../../contracts/jobs.js';
import type { LimitedPool, ReplicationStepInput } from '../../contracts/replication.js';
import type { RetentionReport, SnapshotStepInput } from '../../contracts/zfs.js';
import { isRunning } from '../../workflows/steps/alive.js';
import { askApproval } from '../../workflows/steps/approve.js';
import { resultsOf } from '../../workflows/steps/each.js';
import { finishEach, leasesOf, type Part, type Planned } from '../../workflows/steps/failover.js';
import { failure } from '../../workflows/steps/failure.js';
import {
  type Branch,
  withAnyLease,
  withLeases,
  withLeasesApart,
  withLeasesAtOnce,
} from '../../workflows/steps/lease.js';
import { openReport } from '../../workflows/steps/report.js';
import { retainSnapshots } from '../../workflows/steps/retain.js';
import { sendUntilProved } from '../../workflows/steps/send.js';
import { withUndo } from '../../workflows/steps/undo.js';

/** Small workflows that use one step each; bundled for the tests together with the lease's own workflow. */
export { holdLease } from '../../workflows/hold-lease.js';
export { replicateDatasets } from '../../workflows/replicate-datasets.js';
export { undoLeftovers } from '../../workflows/undo-leftovers.js';

export const go = defineSignal('go');

interface Journal {
  note(line: string): Promise<void>;
  change(thing: string): Promise<void>;
  putBack(thing: string): Promise<void>;
}

const { note, change, putBack } = proxyActivities<Journal>({
  startToCloseTimeout: '10s',
  retry: { maximumAttempts: 1 },
});

/** Takes leases, says so, and holds them until it is told to go. */
export const useLeases = (leases: string[]): Promise<string> => hold(withLeases, leases);
export const useLeasesAtOnce = (leases: string[]): Promise<string> => hold(withLeasesAtOnce, leases);
export const useAnyLease = (leases: string[]): Promise<string> => hold(withAnyLease, leases);

async function hold(take: typeof withLeases, leases: string[]): Promise<string> {
  let gone = false;
  setHandler(go, () => {
    gone = true;
  });
  const report = openReport({});
  return take(leases, report, async () => {
    report.step('holding', 'running');
    await condition(() => gone);
    return 'done';
  });
}

export const endBranch = defineSignal<[string]>('endBranch');

/** Asks in a scope that is cancelled. */
export const asksForAnother = (): Promise<boolean> =>
  CancellationScope.cancellable(async () => {
    CancellationScope.current().cancel();
    return isRunning('another-run');
  });

/** First leases of its own, as a backup has those of its resources, then one branch for each store; a branch says that it holds, and ends when it is told to. */
export async function useLeasesApart(branches: Branch[], first: string[] = []): Promise<string> {
  const ended = new Set<string>();
  setHandler(endBranch, (name) => void ended.add(name));
  const report = openReport({});
  return withLeases(first, report, async () => {
    const held = await withLeasesApart(branches, report, async (name) => {
      report.step(`holding ${name}`, 'running');
      await condition(() => ended.has(name) || ended.has('all'));
      report.step(`holding ${name}`, 'done');
    });
    resultsOf(held);
    return 'done';
  });
}

/** As a restore in place does it: the one to the end, and once it is told to go the others, as a backup takes them. */
export async function useAnyThenOthers(any: string[], others: string[]): Promise<string> {
  let gone = false;
  setHandler(go, () => {
    gone = true;
  });
  const report = openReport({});
  return withAnyLease(any, report, async () => {
    report.step('holding', 'running');
    await condition(() => gone);
    return withLeases(others, report, async () => 'done');
  });
}

/** Changes two things and then ends as it is told. */
export async function changeThings(end: 'well' | 'badly' | 'hang'): Promise<string> {
  const report = openReport({});
  return withUndo(async (undo) => {
    for (const thing of ['first', 'second']) {
      undo.register(thing, () => putBack(thing));
      await change(thing);
    }
    report.step('changed', 'done');
    if (end === 'badly') throw failure('HF_TOOL_FAILED', 'it broke in the middle');
    if (end === 'hang') await sleep('1h');
    await note('body ended');
    return 'done';
  });
}

export async function askFirst(question: { digest: string; withinMs: number }): Promise<string> {
  const answer = await askApproval({ ...question, what: 'delete everything' }, openReport({}));
  return `approved by ${answer.by}`;
}

export const retainKnowing = (step: SnapshotStepInput): Promise<RetentionReport> =>
  retainSnapshots(
    { job: step.job, limits: { retryForMs: 1000, giveUpAfterMs: 10_000, deadHostAfterMs: 10_000 } as Limits },
    'din',
    step,
    openReport({}),
  );

/** As a restore sends a replica back; hands back how many bytes went. */
export async function sendUrgently(
  step: Omit<ReplicationStepInput, 'round'>,
  limitedPools: LimitedPool[],
  parallel?: number,
): Promise<number> {
  const limits: Limits = { retryForMs: 1000, giveUpAfterMs: 10_000, deadHostAfterMs: 10_000 };
  const options = { name: 'back', host: 'din', limits, limitedPools, parallel, urgent: true } as const;
  return (await sendUntilProved(step, options, openReport({}))).bytes;
}

/** Three parts of a failover, one of which does not become ready, with the code that says why; hands back which were begun. */
export async function finishParts(broken: string, code: ErrorCode): Promise<string[]> {
  const begun: string[] = [];
  const part = (resource: string) =>
    ({ step: { resource }, plan: { hooks: { stop: true, start: true } } }) as unknown as Planned;
  await finishEach(['vms', 'photos', 'db'].map(part), async ({ step: { resource } }) => {
    begun.push(resource);
    if (resource === broken) throw failure(code, `${resource} is not ready`);
    return { datasets: 1, byHand: [], notes: [], warnings: [] };
  }).catch(({ message }: Error) => begun.push(message));
  return begun;
}

/** What a failover of some resources to one store keeps others from. */
export const failoverLeases = async (store: string, resources: string[]): Promise<string[]> =>
  leasesOf(resources.map((resource) => ({ step: { resource }, store }) as Part));
