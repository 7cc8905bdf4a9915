import { randomUUID } from 'node:crypto';
import type { ClockReading, HostAnswer, ProbeHostInput } from '../../contracts/doctor.js';
import type { ErrorCode } from '../../contracts/errors.js';
import { workflowQueue, workflowTypes } from '../../contracts/names.js';
import type { Temporal } from '../context.js';
import { causesOf, describeFailure } from '../fail.js';
import { resultOf } from '../result.js';

/** Asks a host about itself through its worker; that it does not answer is an answer too. */

export type HostReply = { host: string } & (
  | (HostAnswer & { here: ClockReading })
  | { failure: { code: ErrorCode; message: string } }
);

const answerWithinMs = 180_000;

/** Never throws: a host that cannot be asked must not hide the others. */
export async function askHost(temporal: Temporal, host: string, now: () => Date): Promise<HostReply> {
  const input: ProbeHostInput = { host };
  const beforeMs = now().getTime();
  try {
    const handle = await temporal.client.workflow.start<(input: ProbeHostInput) => Promise<HostAnswer>>(
      workflowTypes.probeHost,
      {
        workflowId: `doctor-${host}-${randomUUID()}`,
        taskQueue: workflowQueue,
        args: [input],
        workflowExecutionTimeout: answerWithinMs,
        staticSummary: `the doctor asks ${host}`,
      },
    );
    const afterMs = now().getTime();
    const answer = await resultOf(temporal, handle, { now, withinMs: answerWithinMs });
    const { startTime } = await handle.describe();
    return { host, ...answer, here: { beforeMs, hostMs: startTime.getTime(), afterMs } };
  } catch (error) {
    return { host, failure: failureOf(error) };
  }
}

function failureOf(error: unknown): { code: ErrorCode; message: string } {
  const isLate = causesOf(error).some(({ name }) => name === 'TimeoutFailure');
  if (isLate) return { code: 'HF_HOST_UNREACHABLE', message: 'Gave no answer within three minutes' };
  const { code, message } = describeFailure(error);
  return { code, message };
}
