import type { WorkflowStartOptions } from '@temporalio/client';
import { HoldfastError } from '../contracts/errors.js';
import { runId } from '../contracts/names.js';
import { encodeSearchAttributes } from '../schedules/encode.js';
import type { CompiledRun } from '../schedules/types.js';
import type { Temporal } from './context.js';

/** What a start by hand needs at least; a run compiled from a job has more to show. */
export type StartRequest = Pick<CompiledRun, 'workflowType' | 'name' | 'taskQueue' | 'searchAttributes'> &
  Partial<Pick<CompiledRun, 'memo' | 'staticSummary' | 'staticDetails' | 'executionTimeoutMs'>> & {
    args: unknown[];
  };

/** Starts a run under its RUN as workflow id; a second one in the same second is refused by Temporal itself. */
export async function startRun(temporal: Temporal, request: StartRequest, now: Date): Promise<string> {
  const run = runId(request.name, now);
  const options: WorkflowStartOptions = {
    workflowId: run,
    taskQueue: request.taskQueue,
    args: request.args,
    typedSearchAttributes: encodeSearchAttributes(request.searchAttributes),
    workflowIdConflictPolicy: 'FAIL',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    ...(request.memo && { memo: request.memo }),
    ...(request.staticSummary && { staticSummary: request.staticSummary }),
    ...(request.staticDetails && { staticDetails: request.staticDetails }),
    ...(request.executionTimeoutMs && { workflowExecutionTimeout: request.executionTimeoutMs }),
  };
  try {
    await temporal.client.workflow.start(request.workflowType, options);
  } catch (error) {
    if ((error as Error).name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    throw alreadyRunning(run);
  }
  return run;
}

/** Refused rather than queued: two runs of one operation would only wait for each other. */
export const alreadyRunning = (run: string): HoldfastError =>
  new HoldfastError('HF_ALREADY_RUNNING', `This operation is running already: ${run}`, {
    run,
    next: `Follow it: "holdfast show ${run} --follow"`,
  });
