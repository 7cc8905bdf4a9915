import type { Client } from '@temporalio/client';
import { workflowQueue, workflowTypes } from '../contracts/names.js';

/** A worker that starts asks for what ended runs have left changed on its host to be put back; one such workflow at a time. */
export async function putBackLeftovers(client: Client, host: string): Promise<void> {
  await client.workflow.start(workflowTypes.undoLeftovers, {
    workflowId: `undo-${host}`,
    taskQueue: workflowQueue,
    args: [{ host }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowExecutionTimeout: '1d',
    staticSummary: `put back what ended runs left changed on ${host}`,
  });
}
