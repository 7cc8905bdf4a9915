import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { ClockReading, HostAnswer, ProbeHostInput } from '../../contracts/doctor.js';
import { type ErrorCode, HoldfastError } from '../../contracts/errors.js';
import { workflowQueue, workflowTypes } from '../../contracts/names.js';
import type { Temporal } from '../context.js';
import { causesOf, describeFailure } from '../fail.js';
import { lookAtRun } from '../look.js';

/** Asks a host about itself through its worker; that it does not answer is an answer too. */

export type HostReply = { host: string } & (
  | (HostAnswer & { here: ClockReading })
  | { failure: { code: ErrorCode; message: string } }
);

const answerWithinMs = 180_000;
const impatientAfterMs = 15_000;

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
    const answer = await resultOf(temporal, handle, now);
    const { startTime } = await handle.describe();
    return { host, ...answer, here: { beforeMs, hostMs: startTime.getTime(), afterMs } };
  } catch (error) {
    return { host, failure: failureOf(error) };
  }
}

/** Who asked for work a minute ago may be gone by now: then nobody takes the question, and waiting for it is of no use. */
async function resultOf(
  temporal: Temporal,
  handle: WorkflowHandle<(input: ProbeHostInput) => Promise<HostAnswer>>,
  now: () => Date,
): Promise<HostAnswer> {
  const answered = new AbortController();
  const result = handle.result().finally(() => answered.abort());
  const untaken = async (): Promise<never> => {
    await pause(impatientAfterMs, undefined, { signal: answered.signal });
    const { noOrchestratorSince } = await lookAtRun(temporal, handle.workflowId, now());
    if (noOrchestratorSince === undefined) return result as Promise<never>;
    await handle.terminate('no orchestrator took it');
    throw new HoldfastError('HF_TEMPORAL_UNREACHABLE', 'No orchestrator takes the question');
  };
  // Temporal ends the question after that time; one that cannot does not.
  const late = async (): Promise<never> => {
    await pause(answerWithinMs + impatientAfterMs, undefined, { signal: answered.signal });
    throw new HoldfastError('HF_TEMPORAL_UNREACHABLE', 'Temporal took the question and ends it not');
  };
  return Promise.race([
    result,
    late().catch((error) => (answered.signal.aborted ? result : Promise.reject(error))),
    untaken().catch((error) => (answered.signal.aborted ? result : Promise.reject(error))),
  ]);
}

function failureOf(error: unknown): { code: ErrorCode; message: string } {
  const isLate = causesOf(error).some(({ name }) => name === 'TimeoutFailure');
  if (isLate) return { code: 'HF_HOST_UNREACHABLE', message: 'Gave no answer within three minutes' };
  const { code, message } = describeFailure(error);
  return { code, message };
}
