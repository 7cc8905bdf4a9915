import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Context, Temporal } from './context.js';
import { isConnectionError } from './fail.js';
import type { LineFollower } from './follow-lines.js';
import { type FollowView, followView } from './follow-view.js';
import { type Interrupted, interruption } from './interruption.js';
import { lookAtRun } from './look.js';
import { errorOfRun, isEndOfRun } from './run-end.js';

const lookEveryMs = 1000;
const callDeadlineMs = 10_000;

/** How following ended: the run's own result, or the operator's Ctrl-C. */
export type Followed<Result> = { result: Result } | Interrupted;

/**
 * Shows a run until it ends; throws the run's error. Ctrl-C ends the showing and never the run, and a Temporal that
 * goes away is waited for, because the run goes on without us.
 */
export async function followRun<Result>(
  context: Context,
  temporal: Temporal,
  run: string,
  lines?: LineFollower,
): Promise<Followed<Result>> {
  const view = followView(context, lines);
  const interrupt = interruption();
  try {
    const handle = temporal.client.workflow.getHandle(run);
    const ended = resultOf<Result>(handle, run).then((result) => ({ result }));
    const showing = show(context, temporal, run, view, ended);
    const end = await Promise.race([showing.then(() => ended), interrupt.happened]);
    view.close();
    if ('interrupted' in end) context.note(`${run} goes on; follow it again: holdfast show ${run} --follow`);
    return end;
  } finally {
    view.close();
    interrupt.dispose();
  }
}

/** Looks once a second until the run has ended, and once more, so that the last steps are seen. */
async function show(
  context: Context,
  temporal: Temporal,
  run: string,
  view: FollowView,
  ended: Promise<unknown>,
): Promise<void> {
  let over = false;
  let away = false;
  const finished = ended
    .then(
      () => undefined,
      () => undefined,
    )
    .then(() => {
      over = true;
    });
  for (let last = false; ; last = over) {
    try {
      const deadline = Date.now() + callDeadlineMs;
      view.update(
        await temporal.connection.withDeadline(deadline, () => lookAtRun(temporal, run, context.now())),
      );
      if (away) view.say('Temporal answers again');
      away = false;
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      if (!away) view.say('Temporal does not answer; the run is not lost, trying again');
      away = true;
    }
    if (last) return;
    await Promise.race([sleep(lookEveryMs), finished]);
  }
}

/** The result, whatever happens to the connection meanwhile. */
async function resultOf<Result>(handle: WorkflowHandle, run: string): Promise<Result> {
  for (;;) {
    try {
      return (await handle.result()) as Result;
    } catch (error) {
      if (isEndOfRun(error)) throw errorOfRun(run, error);
      if (!isConnectionError(error)) throw error;
      await sleep(lookEveryMs);
    }
  }
}
