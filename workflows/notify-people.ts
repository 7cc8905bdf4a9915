import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { NotifyActivities } from '../activities/notify/activities.js';
import { hostQueue } from '../contracts/names.js';
import type { NotifyInput } from '../contracts/notify.js';
import { asRunFailure } from './steps/failure.js';

/** Brings one message to one channel, for up to a day. It belongs to no run: a mail server that is away delays and fails nothing. */
export async function notifyPeople({ channel, host, notice, once }: NotifyInput): Promise<{ sent: boolean }> {
  const { notifySend } = proxyActivities<NotifyActivities>({
    taskQueue: hostQueue(host),
    summary: `tell ${channel}`,
    startToCloseTimeout: '3m',
    ...(once
      ? { scheduleToStartTimeout: '15s', retry: { maximumAttempts: 1 } }
      : {
          scheduleToCloseTimeout: '24h',
          retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '15m' },
        }),
  });
  try {
    return await notifySend({ id: workflowInfo().workflowId, channel, notice });
  } catch (error) {
    throw asRunFailure(error);
  }
}
