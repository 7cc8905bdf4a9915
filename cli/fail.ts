import { type ErrorCode, errors, HoldfastError, isErrorCode } from '../contracts/errors.js';
import { searchAttributes } from '../contracts/names.js';
import { systemRefusal } from '../contracts/system-errors.js';
import type { Context } from './context.js';
import { printable } from './printable.js';

/** What an error is to the operator, whatever threw it. */
export interface Failure {
  code: ErrorCode;
  message: string;
  next: string;
  exit: number;
}

/** The one way in which a command ends badly: on stderr for people, on stdout as an object for scripts. */
export function fail(context: Pick<Context, 'json' | 'out' | 'note' | 'env'>, error: unknown): number {
  const failure = describeFailure(error);
  const { code, message, next, exit } = failure;
  if (context.json) context.out(JSON.stringify({ error: { code, message, next } }));
  else {
    context.note(`holdfast: ${ownLines(message)}`);
    context.note(`next: ${ownLines(next)}`);
  }
  if (context.env.HOLDFAST_DEBUG === '1') context.note(stackOf(error));
  return exit;
}

/** A list of mistakes has lines; what a name of a file or a worker's answer holds else must not reach the terminal. */
const ownLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** Turns errors of the Temporal client into ours; anything unknown is a mistake in Holdfast and says so. */
export function describeFailure(error: unknown): Failure {
  const known = asHoldfastError(error);
  const entry = errors[known.code];
  const exit = known.details.exit;
  const next = known.details.next;
  return {
    code: known.code,
    message: known.message,
    next: typeof next === 'string' ? next : entry.next,
    exit: typeof exit === 'number' ? exit : entry.exit,
  };
}

/** gRPC's numbers: https://grpc.io/docs/guides/status-codes/ */
const grpc = {
  cancelled: 1,
  invalidArgument: 3,
  deadline: 4,
  notFound: 5,
  denied: 7,
  unavailable: 14,
  unauthenticated: 16,
};
const wordsOfStatus: Record<number, string> = {
  [grpc.cancelled]: 'the connection to Temporal was closed',
  [grpc.deadline]: 'Temporal did not answer in time',
  [grpc.denied]: 'Temporal refuses this client',
  [grpc.unavailable]: 'Temporal does not answer',
  [grpc.unauthenticated]: 'Temporal refuses our credentials',
};

/** Temporal's ApplicationFailure carries our code as its type. */
interface CodedError extends Error {
  type: ErrorCode;
  details?: unknown[] | null;
}

function asHoldfastError(error: unknown): HoldfastError {
  const chain = causesOf(error);
  const own = chain.find((cause) => cause instanceof HoldfastError);
  if (own) return own;
  const coded = chain.find((cause) => isErrorCode((cause as { type?: unknown }).type)) as
    | CodedError
    | undefined;
  if (coded)
    return new HoldfastError(
      coded.type,
      coded.message || errors[coded.type].meaning,
      nextOf(coded.type, chain),
    );
  if (chain.some((cause) => cause.name === 'WorkflowNotFoundError'))
    return new HoldfastError('HF_RUN_NOT_FOUND', 'There is no run of this name in Temporal');
  if (chain.some((cause) => cause.name === 'NamespaceNotFoundError')) return namespaceUnknown();
  const status = chain.map(grpcStatus).find((code) => code !== undefined);
  if (status === grpc.notFound) return notFound(chain);
  if (status === grpc.invalidArgument && namesOurAttribute(chain)) return attributesUnknown();
  const words = status === undefined ? undefined : wordsOfStatus[status];
  if (words) return new HoldfastError('HF_TEMPORAL_UNREACHABLE', capital(words));
  const refused = chain.map(systemRefusal).find((one) => one !== undefined);
  if (refused) return refused;
  const text = chain[0]?.message ?? String(error);
  return new HoldfastError('HF_INTERNAL', `A mistake in Holdfast itself: ${text.slice(0, 240)}`);
}

/** What a worker says is to be done next; it may know more than the table. The run that failed with its step repeats the code and the words alone. */
export function nextOf(type: ErrorCode, chain: readonly Error[]): { next?: string } {
  for (const cause of chain as Partial<CodedError>[]) {
    const { next } = (cause.details?.[0] ?? {}) as { next?: unknown };
    if (cause.type === type && typeof next === 'string') return { next };
  }
  return {};
}

function notFound(chain: Error[]): HoldfastError {
  const text = chain.map((cause) => cause.message).join(' ');
  if (/namespace/i.test(text))
    return new HoldfastError(
      'HF_TEMPORAL_UNREACHABLE',
      'Temporal answers, but it does not know our namespace',
      {
        next: 'Run "holdfast apply", which registers the namespace, or look at temporal.namespace',
      },
    );
  return new HoldfastError('HF_RUN_NOT_FOUND', 'Temporal does not know this run or schedule');
}

const namespaceUnknown = (): HoldfastError =>
  new HoldfastError('HF_TEMPORAL_UNREACHABLE', 'Temporal answers, but it does not know our namespace', {
    next: 'Run "holdfast apply", which registers the namespace, or look at temporal.namespace',
  });

/** A query or a start that names what the namespace was never taught: it was made by hand, and nothing was applied yet. */
const namesOurAttribute = (chain: readonly Error[]): boolean =>
  chain.some(({ message }) => Object.keys(searchAttributes).some((name) => message.includes(name)));

const attributesUnknown = (): HoldfastError =>
  new HoldfastError(
    'HF_TEMPORAL_REFUSED',
    'The namespace does not know the search attributes of Holdfast: nothing was applied to it yet',
    { next: 'Run "holdfast apply", which adds them' },
  );

/** The number of a gRPC status, where the error carries one. */
export function grpcStatus(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'number' ? code : undefined;
}

/** True for errors that pass when Temporal is back: the follower keeps trying on these and on no others. */
export const isConnectionError = (error: unknown): boolean =>
  causesOf(error).some((cause) =>
    [grpc.cancelled, grpc.deadline, grpc.unavailable].includes(grpcStatus(cause) ?? -1),
  );

/** The error and what caused it, outermost first. */
export function causesOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error && chain.length < 20; cause = cause.cause) chain.push(cause);
  return chain;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? '') : String(error));
