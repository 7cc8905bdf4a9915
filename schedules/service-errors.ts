import { isGrpcServiceError } from '@temporalio/client';
import { HoldfastError } from '../contracts/errors.js';

/** gRPC's status numbers, as far as we tell them apart. */
export const grpcStatus = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The status of an error that came over gRPC, also when the SDK has wrapped it. */
export function statusOf(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof Error && error.cause ? statusOf(error.cause) : undefined;
}

const unreachable: readonly (number | undefined)[] = [grpcStatus.unavailable, grpcStatus.deadlineExceeded];
const denied: readonly (number | undefined)[] = [
  grpcStatus.permissionDenied,
  grpcStatus.unauthenticated,
  grpcStatus.unimplemented,
];

/** An operator's words for what a server said; `doing` reads on from "Could not". */
export function asHoldfastError(error: unknown, doing: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const status = statusOf(error);
  const reason = reasonOf(error).slice(0, 100);
  if (unreachable.includes(status)) {
    return new HoldfastError('HF_TEMPORAL_UNREACHABLE', `Could not ${doing}: Temporal does not answer`);
  }
  if (denied.includes(status)) {
    return new HoldfastError('HF_TEMPORAL_REFUSED', `Could not ${doing}: not permitted (${reason})`);
  }
  // The SDK makes a TypeError of a spec that the server does not take: a zone that only the server does not know.
  if (error instanceof TypeError) {
    return new HoldfastError('HF_CONFIG_INVALID', `Could not ${doing}: ${reason}`);
  }
  return new HoldfastError('HF_TEMPORAL_REFUSED', `Could not ${doing}: ${reason}`, {}, { cause: error });
}

function reasonOf(error: unknown): string {
  if (isGrpcServiceError(error)) return error.details || error.message;
  if (!(error instanceof Error)) return String(error);
  return error.cause ? reasonOf(error.cause) : error.message;
}
