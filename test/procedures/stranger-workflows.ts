import { proxyActivities } from '@temporalio/workflow';

/** What anybody who reaches the Temporal port can run: a workflow of his own that asks a host for any step with any input. */
export async function askForStep(queue: string, step: string, input: unknown): Promise<unknown> {
  const steps = proxyActivities<Record<string, (input: unknown) => Promise<unknown>>>({
    taskQueue: queue,
    startToCloseTimeout: '60s',
    scheduleToStartTimeout: '20s',
    heartbeatTimeout: '10s',
    retry: { maximumAttempts: 1 },
  });
  return steps[step]?.(input);
}
