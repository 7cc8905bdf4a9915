import { type ErrorCode, errors, HoldfastError, isErrorCode } from '../contracts/errors.js';
import { causesOf, nextOf } from './fail.js';

/** Why a run did not end well, out of the chain of failures that Temporal hands back. */
export function errorOfRun(run: string, error: unknown): HoldfastError {
  const chain = causesOf(error);
  const known = chain.find((cause) => isErrorCode(typeOf(cause)));
  if (known) {
    const code = typeOf(known) as ErrorCode;
    return new HoldfastError(code, known.message || errors[code].meaning, nextOf(code, chain));
  }
  const names = chain.map((cause) => cause.name);
  if (names.includes('CancelledFailure')) return new HoldfastError('HF_CANCELLED', `${run} was cancelled`);
  if (names.includes('TerminatedFailure'))
    return new HoldfastError(
      'HF_CANCELLED',
      `${run} was terminated from outside; what it had paused may need "holdfast undo"`,
    );
  if (names.includes('TimeoutFailure'))
    return new HoldfastError(
      'HF_TOOL_FAILED',
      `${run} took longer than it may (giveUpAfter in holdfast.yaml)`,
    );
  const innermost = chain.at(-1)?.message ?? String(error);
  return new HoldfastError('HF_INTERNAL', `${run} failed: ${innermost.slice(0, 240)}`);
}

/** ApplicationFailure carries our code as its type. */
const typeOf = (error: unknown): unknown => (error as { type?: unknown }).type;

/** True when the run itself ended, so that there is nothing to wait for. */
export const isEndOfRun = (error: unknown): boolean =>
  causesOf(error).some((cause) => cause.name === 'WorkflowFailedError');
