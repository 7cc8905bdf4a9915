import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../contracts/errors.js';
import type { RestoreInput, RestorePlan } from '../contracts/jobs.js';
import { sendAnswer } from './approval.js';
import type { Context, Temporal } from './context.js';
import { followToEnd } from './end.js';
import { exitCodes } from './exit-codes.js';
import { isConnectionError } from './fail.js';
import type { LineFollower } from './follow-lines.js';
import { followView, linesFor } from './follow-view.js';
import { interruption } from './interruption.js';
import { lookAtRun } from './look.js';
import { planLines } from './plan-view.js';
import { startRestore } from './start-by-hand.js';
import { localTimeWithZone } from './time.js';

const lookEveryMs = 500;

/** Starts the restore, has its plan approved, and follows it to its end. */
export async function restoreAndFollow(context: Context, input: RestoreInput): Promise<number> {
  if (input.at && !context.json) context.out(`as of ${localTimeWithZone(new Date(input.at))} (${input.at})`);
  const temporal = await context.temporal();
  const run = await startRestore(temporal, input, context.now());
  if (!context.json) context.out(`${run} started`);
  // Bringing back restores nothing that must be looked at first: the command itself is the yes.
  if (input.approved || input.undo !== undefined) return followToEnd(context, temporal, run);
  const lines = linesFor(context);
  const plan = await planOf(context, temporal, run, lines);
  if (plan === 'interrupted') return leftWaiting(context, run);
  // Ended without a plan: its error says why.
  if (plan === 'ended') return followToEnd(context, temporal, run, lines);
  if (!context.json) for (const line of planLines(plan)) context.out(line);
  if (!context.interactive) return refuse(temporal, run, plan);
  const answer = await context.ask('Restore this?');
  if (answer === 'interrupted') return leftWaiting(context, run);
  await sendAnswer(temporal, run, answer === 'yes' ? 'approve' : 'deny', plan);
  return followToEnd(context, temporal, run, lines);
}

/** Nobody can be asked, so the answer is no: a script that means yes says --yes. */
async function refuse(temporal: Temporal, run: string, plan: RestorePlan): Promise<number> {
  await sendAnswer(temporal, run, 'deny', plan, 'not a terminal, and no --yes');
  throw new HoldfastError(
    'HF_NOT_APPROVED',
    `${run} was not approved: this is not a terminal; nothing was restored`,
    {
      next: 'Give --yes when the plan shall be taken as it is',
    },
  );
}

function leftWaiting(context: Context, run: string): number {
  context.note(`${run} still waits for an answer: holdfast approve ${run}, or holdfast deny ${run}`);
  return exitCodes.interrupted;
}

/** Waits until the host has chosen the copy and looked at the target. */
async function planOf(
  context: Context,
  temporal: Temporal,
  run: string,
  lines: LineFollower,
): Promise<RestorePlan | 'ended' | 'interrupted'> {
  const view = followView({ ...context, terminal: false }, lines);
  const interrupt = interruption();
  let stopped = false;
  void interrupt.happened.then(() => {
    stopped = true;
  });
  try {
    while (!stopped) {
      const snapshot = await lookAtRun(temporal, run, context.now()).catch((error: unknown) => {
        if (!isConnectionError(error)) throw error;
      });
      if (snapshot) view.update(snapshot);
      if (snapshot && snapshot.status !== 'RUNNING') return 'ended';
      if (snapshot?.report?.plan) return snapshot.report.plan;
      await Promise.race([sleep(lookEveryMs), interrupt.happened]);
    }
    return 'interrupted';
  } finally {
    view.close();
    interrupt.dispose();
  }
}
