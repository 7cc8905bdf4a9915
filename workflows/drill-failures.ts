import { ActivityCancellationType, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { DoctorActivities } from '../activities/doctor/activities.js';
import type { DrillInput, DrillReport } from '../contracts/doctor.js';
import { hostQueue } from '../contracts/names.js';
import { asRunFailure } from './steps/failure.js';
import { openReport } from './steps/report.js';

/** Plays mishaps on a scratch copy of a job, on the host that holds its source, and says which message came. */
export async function drillFailures({ job, resource, host }: DrillInput): Promise<DrillReport> {
  const report = openReport({});
  const { hostDrill } = proxyActivities<DoctorActivities>({
    taskQueue: hostQueue(host),
    scheduleToStartTimeout: '10s',
    startToCloseTimeout: '10m',
    heartbeatTimeout: '1m',
    // The second attempt removes what a killed worker has left of the first.
    retry: { maximumAttempts: 2 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: `failure drill of ${job} on ${host}`,
  });
  const input = { job, resource, run: workflowInfo().workflowId, retryForMs: 0 };
  try {
    const drilled = await report.watch('drill', () => hostDrill(input));
    for (const { mishap, came, passed, skipped, message } of drilled.scenes)
      report.step(mishap, skipped ? 'skipped' : passed ? 'done' : 'failed', skipped ? message : came);
    report.step('drill', 'done', drilled.sample);
    return drilled;
  } catch (error) {
    throw asRunFailure(error);
  }
}
