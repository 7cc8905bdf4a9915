import {
  CancellationScope,
  ChildWorkflowCancellationType,
  isCancellation,
  ParentClosePolicy,
  patched,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { ActionInput } from '../../contracts/actions.js';
import type { WatchInput } from '../../contracts/failover.js';
import { watchOperation, watchRun, workflowQueue, workflowTypes } from '../../contracts/names.js';
import type { Planned } from './failover.js';
import { attribute } from './report.js';

/**
 * What was dead comes back writable: from the first part on that may have taken over, somebody waits for it, whether replication runs or not.
 * Asked after each part: it ends by itself as long as none is in use, and one that goes on is one for all.
 */
export async function watchTheDead(parts: readonly Planned[], input: ActionInput): Promise<void> {
  const dead = parts.filter(({ plan }) => plan.source !== 'answers');
  const [first] = dead;
  if (!first || !patched('2026-11-watch-the-dead')) return;
  const { job, notify, limits } = input;
  const watch: WatchInput = {
    job,
    store: first.store,
    resources: dead.map(({ step }) => step.resource),
    host: first.host,
    deadHostAfterMs: limits.deadHostAfterMs,
    ...(notify && { notify }),
  };
  await CancellationScope.nonCancellable(() => start(watch, watchRun(workflowInfo().workflowId)));
}

/** The one refusal that Temporal knows here is "already started"; it may have ended meanwhile, then it is started again. */
async function start(watch: WatchInput, workflowId: string): Promise<void> {
  try {
    await startChild(workflowTypes.watchReturned, {
      workflowId,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      taskQueue: workflowQueue,
      args: [watch],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: `makes what ${watch.job} took over from stand by when it returns`,
      typedSearchAttributes: [
        attribute('HfJob', watch.job),
        attribute('HfOperation', watchOperation),
        attribute('HfHost', watch.host),
        attribute('HfTool', 'zfs'),
      ],
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}
