import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { createHostActivities } from '../../activities/host/activities.js';
import type { createHostQuestions } from '../../activities/host/questions.js';
import type { createResticActivities } from '../../activities/restic/activities.js';
import type { createResticQuestions } from '../../activities/restic/questions.js';
import type { createSnapraidActivities } from '../../activities/snapraid/activities.js';
import type { createZfsActivities } from '../../activities/zfs/activities.js';
import type { createFailoverActivities } from '../../activities/zfs/failover-activities.js';
import type { createZfsQuestions } from '../../activities/zfs/questions.js';
import type { Limits } from '../../contracts/jobs.js';
import { heavyQueue, hostQueue, transferQueue } from '../../contracts/names.js';

/** Steps run on a host's own queue: a step that is tried again waits for the same machine, however long its reboot takes. */

export type HostSteps = ReturnType<typeof createHostActivities> &
  ReturnType<typeof createHostQuestions> &
  ReturnType<typeof createResticActivities> &
  ReturnType<typeof createResticQuestions> &
  ReturnType<typeof createSnapraidActivities> &
  ReturnType<typeof createZfsActivities> &
  ReturnType<typeof createFailoverActivities> &
  ReturnType<typeof createZfsQuestions>;

/** An outage is tried again after 2 s, 4 s, 8 s … at most every 10 minutes; the door of the activities decides when it is over. */
const retry = { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '10m' } as const;

function steps(taskQueue: string, limits: Limits, summary: string): HostSteps {
  return proxyActivities<HostSteps>({
    taskQueue,
    summary,
    retry,
    heartbeatTimeout: limits.deadHostAfterMs,
    scheduleToCloseTimeout: limits.giveUpAfterMs,
    // The default would end the run while the tool still works; its clean-up must be over before ours begins.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Short questions, and restores: a restore never queues behind a night of transfers. */
export const onHost = (host: string, limits: Limits, summary: string): HostSteps =>
  steps(hostQueue(host), limits, summary);

/** Transfers, checks and scrubs: as many at a time as the host has heavy slots. */
export const heavyOnHost = (host: string, limits: Limits, summary: string): HostSteps =>
  steps(heavyQueue(host), limits, summary);

/** Streams that hold a lease of their pool: that is their limit, the host has slots for all of them. */
export const transferOnHost = (host: string, limits: Limits, summary: string): HostSteps =>
  steps(transferQueue(host), limits, summary);

/** What waits for days, whatever happens: not on the queue of short questions, of which there are few slots. */
export const waitOnHost = (host: string, deadHostAfterMs: number, summary: string): HostSteps =>
  proxyActivities<HostSteps>({
    taskQueue: transferQueue(host),
    summary,
    startToCloseTimeout: '1h',
    heartbeatTimeout: deadHostAfterMs,
    retry: { initialInterval: '20s', backoffCoefficient: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });

/** A short question that a run can do without: a host whose worker is away is not waited for. */
export const askHost = (host: string, summary: string, startWithin: '15s' | '1m' = '1m'): HostSteps =>
  proxyActivities<HostSteps>({
    taskQueue: hostQueue(host),
    summary,
    scheduleToStartTimeout: startWithin,
    startToCloseTimeout: '5m',
    heartbeatTimeout: '1m',
    retry: { maximumAttempts: 3 },
  });
