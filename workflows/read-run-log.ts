import { proxyActivities } from '@temporalio/workflow';
import type { ReadRunLogInput } from '../contracts/by-hand.js';
import { hostQueue } from '../contracts/names.js';
import type { HostSteps } from './steps/on-host.js';

/** Asks a host for the newest lines of a run's log: logs stay where the tools ran. A host without a worker is not waited for. */
export async function readRunLog({ host, run, lines }: ReadRunLogInput): Promise<string[]> {
  const { hostReadRunLog } = proxyActivities<HostSteps>({
    taskQueue: hostQueue(host),
    scheduleToStartTimeout: '10s',
    startToCloseTimeout: '30s',
    retry: { maximumAttempts: 2 },
    summary: `read the log of ${run}`,
  });
  return hostReadRunLog({ run, lines });
}
