import { setTimeout as pause } from 'node:timers/promises';
import { HoldfastError } from '../contracts/errors.js';
import type { Temporal } from './context.js';
import { lookAtRun } from './look.js';

/** The answer of a short workflow that a command waits for. */

const impatientAfterMs = 15_000;
const usualLookEveryMs = 5_000;

interface Question<R> {
  workflowId: string;
  result(): Promise<R>;
  terminate(reason: string): Promise<unknown>;
}

/**
 * Who asked for work a minute ago may be gone by now: then nobody takes the question, and waiting for it is of no use. One look proves nothing, it
 * may fall between the end of a step and the orchestrator that takes it: untaken is what two looks in a row see waiting since the same moment.
 */
export async function resultOf<R>(
  temporal: Temporal,
  handle: Question<R>,
  {
    now,
    withinMs,
    lookEveryMs = usualLookEveryMs,
  }: { now: () => Date; withinMs: number; lookEveryMs?: number },
): Promise<R> {
  const answered = new AbortController();
  let isUntaken = false;
  // That we ended it ourselves is no answer: Temporal may tell it sooner than that our ending was taken.
  const result = handle
    .result()
    .catch((error: unknown) => Promise.reject(isUntaken ? nobody() : error))
    .finally(() => answered.abort());
  const untaken = async (): Promise<never> => {
    let before: number | undefined;
    for (let waitMs = 2 * lookEveryMs; ; waitMs = lookEveryMs) {
      await pause(waitMs, undefined, { signal: answered.signal });
      const { noOrchestratorSince } = await lookAtRun(temporal, handle.workflowId, now());
      const since = noOrchestratorSince?.getTime();
      if (since !== undefined && since === before) break;
      before = since;
    }
    isUntaken = true;
    await handle.terminate('no orchestrator took it');
    throw nobody();
  };
  // Temporal ends the question after that time; one that cannot does not.
  const late = async (): Promise<never> => {
    await pause(withinMs + impatientAfterMs, undefined, { signal: answered.signal });
    throw new HoldfastError('HF_TEMPORAL_UNREACHABLE', 'Temporal took the question and ends it not');
  };
  return Promise.race([
    result,
    late().catch((error) => (answered.signal.aborted ? result : Promise.reject(error))),
    untaken().catch((error) => (answered.signal.aborted ? result : Promise.reject(error))),
  ]);
}

const nobody = (): HoldfastError =>
  new HoldfastError('HF_TEMPORAL_UNREACHABLE', 'No orchestrator takes the question');
