import { existsSync } from 'node:fs';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { HoldfastError } from '../contracts/errors.js';
import { workflowQueue } from '../contracts/names.js';
import { bundleFile } from './bundle-file.js';
import { shutdownLimits } from './drain.js';

export interface OrchestratorOptions {
  connection: NativeConnection;
  namespace: string;
  bundle?: string;
}

/** The worker that runs the workflows; one is enough for an estate, and it needs none of the hosts' tools. */
export async function createOrchestrator({
  connection,
  namespace,
  bundle = bundleFile,
}: OrchestratorOptions): Promise<Worker> {
  if (!existsSync(bundle))
    throw new HoldfastError(
      'HF_INTERNAL',
      `The bundle of the workflows is missing (${bundle}): run "npm run build"`,
    );
  return Worker.create({
    connection,
    namespace,
    identity: 'holdfast@orchestrator',
    taskQueue: workflowQueue,
    workflowBundle: { codePath: bundle },
    maxCachedWorkflows: 50,
    maxConcurrentWorkflowTaskExecutions: 10,
    ...shutdownLimits,
  });
}
