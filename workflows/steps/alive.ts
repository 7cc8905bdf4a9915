import { defineSignal, getExternalWorkflowHandle } from '@temporalio/workflow';
import { signalNames } from '../../contracts/names.js';
import { throwIfCancelled } from './cancelled.js';
import { failure } from './failure.js';

const areYouThere = defineSignal(signalNames.areYouThere);

/** A workflow can ask for another only by a signal: one that nobody handles changes nothing, and fails when the other is gone. */
export async function isRunning(workflowId: string): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(areYouThere);
    return true;
  } catch (error) {
    throwIfCancelled(error);
    if (error instanceof Error && /not ?found|already completed/i.test(error.message)) return false;
    throw failure(
      'HF_INTERNAL',
      `Cannot tell whether ${workflowId} still runs`,
      error instanceof Error ? error : undefined,
    );
  }
}
