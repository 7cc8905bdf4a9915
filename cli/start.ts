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

const secondMs = 1000;
const mostSecondsAhead = 10;

/**
 * Starts a run under its RUN as workflow id. A RUN names a second: the second start within one takes the next second,
 * unless it is `exclusive` and the other still runs (the list of runs is behind the truth for a moment).
 */
export async function startRun(
  temporal: Temporal,
  request: StartRequest,
  now: Date,
  { exclusive }: { exclusive: boolean },
): Promise<string> {
  for (let ahead = 0; ; ahead += 1) {
    const run = runId(request.name, new Date(now.getTime() + ahead * secondMs));
    try {
      await temporal.client.workflow.start(request.workflowType, optionsOf(request, run));
      return run;
    } catch (error) {
      if ((error as Error).name !== 'WorkflowExecutionAlreadyStartedError') throw error;
      const { status } = await temporal.client.workflow.getHandle(run).describe();
      if (exclusive && status.name === 'RUNNING') throw alreadyRunning(run);
      if (ahead >= mostSecondsAhead) throw error;
    }
  }
}

const optionsOf = (request: StartRequest, run: string): WorkflowStartOptions => ({
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
});

/** Refused rather than queued: two runs of one operation would only wait for each other. */
export const alreadyRunning = (run: string): HoldfastError =>
  new HoldfastError('HF_ALREADY_RUNNING', `This operation is running already: ${run}`, {
    run,
    next: `Follow it: "holdfast show ${run} --follow"`,
  });
