import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Config } from '../config/schema.js';
import { type ErrorCode, errors, HoldfastError } from '../contracts/errors.js';
import type { Progress } from '../contracts/jobs.js';
import { parseRunId } from '../contracts/names.js';
import { systemRefusal } from '../contracts/system-errors.js';
import { now, ticks } from '../system/clock.js';
import type { Host } from '../system/host.js';
import { openRunLog, type RunLog } from '../system/log.js';
import { removeOldLogs } from '../system/old-logs.js';
import { redact } from '../system/redact.js';
import type { Door, StepBasics, Tools } from './door.js';

/** The one door to Temporal's activity context. Every finding about heartbeats, cancellation and failures is held here. */

/** An attempt's failure over 4 KB is shown as "exceeds size limit" while it is being retried; this stays far below. */
const maxMessageLength = 600;

export interface DoorOptions {
  host: Host;
  machine?: (name: string) => Host;
  config: () => Config;
  configFile?: string;
}

type Furthest = Required<Pick<Progress, 'furthestBytes' | 'furthestFiles'>>;

const noProgress = (): Progress & Furthest => ({
  v: 1,
  phase: 'starting',
  bytesDone: 0,
  bytesTotal: 0,
  filesDone: 0,
  filesTotal: 0,
  bytesPerSecond: 0,
  furthestBytes: 0,
  furthestFiles: 0,
  movedAt: now().toISOString(),
});

/** Wraps the body of an activity: heartbeat from a timer, log of the run, failures in our own words. */
export function createDoor({ host, machine, config, configFile }: DoorOptions): Door {
  const boundLogs = oldLogRemover(host);
  return {
    async step<I extends StepBasics, O>(input: I, body: (tools: Tools) => Promise<O>): Promise<O> {
      const context = Context.current();
      const { attempt, activityType, workflowExecution, heartbeatTimeoutMs } = context.info;
      checkRun(input.run, workflowExecution?.workflowId);
      const log = openLog(host, input.run, { step: activityType, attempt, host: host.name });
      const beat = startHeartbeat(context, heartbeatTimeoutMs);
      boundLogs();
      try {
        log.line(`${activityType}, attempt ${attempt}`);
        const { cancellationSignal: signal } = context;
        const tools: Tools = {
          host,
          ...(machine && { machine }),
          config: config(),
          configFile,
          run: input.run,
          attempt,
          mayWait: () => !isOutOfPatience(beat.movedAt(), input.retryForMs),
          signal,
          progress: beat.progress,
          log: log.line,
        };
        return await body(tools);
      } catch (error) {
        log.line(`failed: ${error instanceof Error ? error.message : String(error)}`);
        throw toFailure(error, context, { retryForMs: input.retryForMs, movedAt: beat.movedAt() });
      } finally {
        beat.stop();
        log.close();
      }
    },
  };
}

/** For a short question that belongs to no run: errors in our own words, no heartbeat, no log. */
export const answer = <O>(body: (signal: AbortSignal) => Promise<O>): Promise<O> => outsideOfRuns(body, 0);

/**
 * The same for what is tried again through any trouble, for as long as its workflow lets it: only `final` ends it at once.
 * What no run can wait for (a full disk, a secret that is away) may pass within the day that a message has.
 */
export const attempt = <O>(body: (signal: AbortSignal) => Promise<O>, final: ErrorCode): Promise<O> =>
  outsideOfRuns(body, Number.POSITIVE_INFINITY, final);

async function outsideOfRuns<O>(
  body: (signal: AbortSignal) => Promise<O>,
  retryForMs: number,
  final?: ErrorCode,
): Promise<O> {
  try {
    return await body(Context.current().cancellationSignal);
  } catch (error) {
    throw toFailure(error, Context.current(), { retryForMs, movedAt: new Date(0), final });
  }
}

/** The run is what tags, locks and logs are named after: a step may only speak for the workflow that it belongs to. */
function checkRun(run: string, workflowId: string | undefined): void {
  if (run === workflowId && parseRunId(run)) return;
  const message = `The step was asked to work for "${run}" by the workflow "${workflowId}"`;
  throw ApplicationFailure.create({ type: 'HF_NOT_IN_CONFIG', message, nonRetryable: true });
}

/** Before anything is done: a state folder that cannot be written is an error in our words like any other. */
function openLog(host: Host, run: string, fields: Record<string, unknown>): RunLog {
  try {
    return openRunLog(host.driver.stateFolder, run, fields);
  } catch (error) {
    throw toFailure(error, Context.current(), { retryForMs: 0, movedAt: new Date(0) });
  }
}

/** Looks once an hour at most, and never makes a step wait. */
function oldLogRemover({ stateFolder }: Host): () => void {
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (ticks() - lookedAtMs < 3_600_000) return;
    lookedAtMs = ticks();
    void removeOldLogs(stateFolder, now().getTime());
  };
}

interface Heartbeat {
  progress(progress: Partial<Progress>): void;
  movedAt(): Date;
  stop(): void;
}

/** Beats from a timer and not from output lines: a silent tool is alive too, and cancellation arrives only with beats. */
function startHeartbeat(context: Context, heartbeatTimeoutMs: number | undefined): Heartbeat {
  let current: Progress & Furthest = { ...noProgress(), ...earlierMove(context) };
  const everyMs = Math.min(1_000, (heartbeatTimeoutMs ?? 10_000) / 5);
  context.heartbeat(current);
  const timer = setInterval(() => context.heartbeat(current), everyMs);
  return {
    progress(progress) {
      const { bytesDone = 0, filesDone = 0 } = progress;
      const moved = bytesDone > current.furthestBytes || filesDone > current.furthestFiles;
      current = {
        ...current,
        ...progress,
        furthestBytes: Math.max(current.furthestBytes, bytesDone),
        furthestFiles: Math.max(current.furthestFiles, filesDone),
        movedAt: moved ? now().toISOString() : current.movedAt,
      };
    },
    movedAt: () => new Date(current.movedAt),
    stop: () => clearInterval(timer),
  };
}

/**
 * An outage is measured from the last thing that moved, in whatever attempt that was; at first from when the first attempt began,
 * because a night in the queue is no outage of the store. An attempt whose predecessors left no beat goes by when the step was asked for.
 */
function earlierMove({ info }: Context): Pick<Progress, 'movedAt'> & Furthest {
  const {
    movedAt,
    furthestBytes = 0,
    furthestFiles = 0,
  } = (info.heartbeatDetails ?? {}) as Partial<Progress>;
  return {
    movedAt: movedAt ?? (info.attempt === 1 ? now() : new Date(info.scheduledTimestampMs)).toISOString(),
    furthestBytes,
    furthestFiles,
  };
}

interface Patience {
  retryForMs: number;
  movedAt: Date;
  /** The one code that ends the attempts, whatever the table of errors says. */
  final?: ErrorCode | undefined;
}

const isOutOfPatience = (movedAt: Date, retryForMs: number): boolean =>
  now().getTime() - movedAt.getTime() > retryForMs;

/** Our errors keep their code as the failure's type; whatever else comes is HF_INTERNAL, and none carries a stack or a secret. */
export function toFailure(error: unknown, context: Context, { retryForMs, movedAt, final }: Patience): Error {
  const { cancellationSignal } = context;
  // Only the SDK's own CancelledFailure makes the activity "cancelled" and not "failed": it is the reason of the signal.
  if (cancellationSignal.aborted) return cancellationSignal.reason as Error;
  const known = error instanceof HoldfastError ? error : unexpected(error);
  const { retry, next } = errors[known.code];
  const outOfPatience = isOutOfPatience(movedAt, retryForMs);
  return ApplicationFailure.create({
    type: known.code,
    message: redact(known.message).slice(0, maxMessageLength),
    nonRetryable: final === undefined ? retry === 'never' || outOfPatience : known.code === final,
    // The Web UI shows it; our own commands know the table.
    details: [{ next, ...known.details }],
  });
}

function unexpected(error: unknown): HoldfastError {
  const message = error instanceof Error ? error.message : String(error);
  return systemRefusal(error) ?? new HoldfastError('HF_INTERNAL', `Unexpected: ${message}`);
}
