import { ApplicationFailure, CancelledFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { type ErrorCode, errors, isErrorCode } from '../../contracts/errors.js';
import type { Outcome } from '../../contracts/jobs.js';

/** An error of ours as a workflow's failure: the code is its type, so that the command line knows how to end. */
export const failure = (code: ErrorCode, message: string, cause?: Error): ApplicationFailure =>
  ApplicationFailure.create({ type: code, message, nonRetryable: true, cause });

/** What went wrong, from the chain of causes that Temporal wraps around it. */
export function diagnose(error: unknown): { code: ErrorCode; message: string } {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
      return { code: cause.type, message: cause.message };
    }
    if (cause instanceof TimeoutFailure) {
      return {
        code: 'HF_HOST_UNREACHABLE',
        message: 'The host gave no answer in the time that the step may take',
      };
    }
  }
  return { code: 'HF_INTERNAL', message: error instanceof Error ? error.message : String(error) };
}

/** What to do about it: a host may know more than the table. */
export function nextStep(error: unknown): string {
  const { code } = diagnose(error);
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof ApplicationFailure) || cause.type !== code) continue;
    const { next } = (cause.details?.[0] ?? {}) as { next?: unknown };
    if (typeof next === 'string') return next;
  }
  return errors[code].next;
}

export const outcomeOf = (error: unknown): Outcome => {
  if (isCancellation(error)) return 'cancelled';
  return errors[diagnose(error).code].exit === 5 ? 'refused' : 'failed';
};

/** A cancelled run must end as cancelled: the SDK knows it by the CancelledFailure alone. */
export function asRunFailure(error: unknown): Error {
  if (isCancellation(error)) return new CancelledFailure('The run was cancelled');
  const { code, message } = diagnose(error);
  return failure(code, message, error instanceof Error ? error : undefined);
}
