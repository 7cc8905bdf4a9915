import { defineSearchAttributeKey } from '@temporalio/common';
import {
  ChildWorkflowCancellationType,
  isCancellation,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import {
  notificationId,
  parseRunId,
  searchAttributes,
  workflowQueue,
  workflowTypes,
} from '../../contracts/names.js';
import {
  boundNotice,
  type Notice,
  type NotifyEvent,
  type NotifyInput,
  type NotifyRoute,
} from '../../contracts/notify.js';

/** People are told by workflows of their own, which go on after the run and never hold it up. */

export type Told = Omit<Notice, 'job' | 'run' | 'host' | 'event'> & { event: NotifyEvent };

/** Starts a message through each channel that wants it; awaited only until Temporal has it. Without routes nothing is done. */
export async function tellPeople(routes: readonly NotifyRoute[], told: Told): Promise<void> {
  const wanted = routes.filter(({ on }) => on.includes(told.event));
  if (wanted.length === 0) return;
  const { workflowId: run, typedSearchAttributes } = workflowInfo();
  const host = typedSearchAttributes.get(defineSearchAttributeKey('HfHost', searchAttributes.HfHost));
  const job = parseRunId(run)?.job;
  const notice = boundNotice({ ...told, run, ...(job !== undefined && { job }), ...(host && { host }) });
  await Promise.all(wanted.map((route) => startMessage(route, run, notice)));
}

/**
 * That nobody could be told is no reason for a run to end otherwise than it did. The one refusal that Temporal knows here is "already
 * started": this very message was given its own workflow before. All else fails the workflow task, which is done again.
 */
async function startMessage({ channel, host }: NotifyRoute, run: string, notice: Notice): Promise<void> {
  try {
    await startChild(workflowTypes.notifyPeople, {
      workflowId: notificationId(run, channel, notice.event, notice.digest),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      taskQueue: workflowQueue,
      args: [{ channel, host, notice } satisfies NotifyInput],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      workflowExecutionTimeout: '25h',
      staticSummary: `tell ${channel}: ${notice.event} of ${run}`.slice(0, 200),
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}
