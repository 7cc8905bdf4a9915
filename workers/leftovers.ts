import type { Client } from '@temporalio/client';
import { undoRequest } from '../contracts/undo.js';

/** A worker that starts asks for what ended runs have left changed on its host to be put back. */
export async function putBackLeftovers(client: Client, host: string): Promise<void> {
  const { workflowType, options } = undoRequest(host);
  await client.workflow.start(workflowType, { ...options, args: [...options.args] });
}
