import { ActivityFailure, ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { DoctorActivities } from '../activities/doctor/activities.js';
import type { HostAnswer, ProbeHostInput } from '../contracts/doctor.js';
import { hostQueue } from '../contracts/names.js';
import { asRunFailure, failure } from './steps/failure.js';

/** Asks a host about itself. The quick question comes first: a host without a worker is known after seconds. */
export async function probeHost({ host }: ProbeHostInput): Promise<HostAnswer> {
  const common = {
    taskQueue: hostQueue(host),
    scheduleToStartTimeout: '10s',
    retry: { maximumAttempts: 1 },
  } as const;
  const quick = proxyActivities<DoctorActivities>({
    ...common,
    startToCloseTimeout: '10s',
    summary: `what time is it on ${host}`,
  });
  const thorough = proxyActivities<DoctorActivities>({
    ...common,
    startToCloseTimeout: '2m',
    summary: `what ${host} has and reaches`,
  });
  try {
    // The time inside a workflow is the server's, of when it was last woken.
    const beforeMs = Date.now();
    const hostMs = await quick.hostClock();
    const afterMs = Date.now();
    return { clock: { beforeMs, hostMs, afterMs }, facts: await thorough.hostProbe() };
  } catch (error) {
    throw isUnknownQuestion(error) ? tooOld(host) : asRunFailure(error);
  }
}

/** The SDK's answer of a worker that has no activity of this name. */
const isUnknownQuestion = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  error.cause instanceof ApplicationFailure &&
  error.cause.type === 'NotFoundError';

const tooOld = (host: string): ApplicationFailure =>
  failure('HF_TOOL_MISSING', `The worker of ${host} is older than the doctor: update Holdfast there`);
