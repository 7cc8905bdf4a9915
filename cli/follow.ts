import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { type Asked, askedOf } from './approval.js';
import type { Context, Temporal } from './context.js';
import { isConnectionError } from './fail.js';
import type { LineFollower } from './follow-lines.js';
import { type FollowView, followView } from './follow-view.js';
import { type Interrupted, interruption } from './interruption.js';
import { lookAtRun } from './look.js';
import { errorOfRun, isEndOfRun } from './run-end.js';
import type { Snapshot } from './snapshot.js';

const lookEveryMs = 1000;
const callDeadlineMs = 10_000;

/** How following ended: the run's own result, the operator's Ctrl-C, or a question that is not answered yet. */
export type Followed<Result> = { result: Result } | Interrupted | { asked: Asked };

export interface FollowOptions {
  lines?: LineFollower | undefined;
  /** Digests of questions that were answered; any other one ends the following. Without it no question does. */
  answered?: ReadonlySet<string>;
}

/**
 * Shows a run until it ends; throws the run's error. Ctrl-C ends the showing and never the run, and a Temporal that
 * goes away is waited for, because the run goes on without us.
 */
export async function followRun<Result>(
  context: Context,
  temporal: Temporal,
  run: string,
  { lines, answered }: FollowOptions = {},
): Promise<Followed<Result>> {
  const view = followView(context, lines);
  const interrupt = interruption();
  try {
    const handle = temporal.client.workflow.getHandle(run);
    const ended = resultOf<Result>(handle, run).then((result) => ({ result }));
    // Whoever is asked has turned away from it: its failure is told by the next look.
    ended.catch(() => undefined);
    const showing = show(context, temporal, run, view, ended, answered);
    const toEnd = showing.then((asked): Followed<Result> | Promise<Followed<Result>> =>
      asked ? { asked } : ended,
    );
    const end = await Promise.race([toEnd, interrupt.happened]);
    view.close();
    if ('interrupted' in end) context.note(`${run} goes on; follow it again: holdfast show ${run} --follow`);
    return end;
  } finally {
    view.close();
    interrupt.dispose();
  }
}

/** Looks once a second until the run has ended, and once more, so that the last steps are seen; or until it asks something new. */
async function show(
  context: Context,
  temporal: Temporal,
  run: string,
  view: FollowView,
  ended: Promise<unknown>,
  answered: ReadonlySet<string> | undefined,
): Promise<Asked | undefined> {
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
      const snapshot = await temporal.connection.withDeadline(deadline, () =>
        lookAtRun(temporal, run, context.now()),
      );
      view.update(snapshot);
      const asked = newQuestion(snapshot, answered);
      if (asked) return asked;
      if (away) view.say('Temporal answers again');
      away = false;
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      if (!away) view.say('Temporal does not answer; the run is not lost, trying again');
      away = true;
    }
    if (last) return undefined;
    await Promise.race([sleep(lookEveryMs), finished]);
  }
}

function newQuestion({ report }: Snapshot, answered: ReadonlySet<string> | undefined): Asked | undefined {
  const asked = answered && report && askedOf(report);
  return asked && !answered.has(asked.digest) ? asked : undefined;
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
