import { userInfo } from 'node:os';
import { HoldfastError } from '../contracts/errors.js';
import type { ApprovalAnswer, RestorePlan, RunReport } from '../contracts/jobs.js';
import { updateNames } from '../contracts/names.js';
import type { Context, Temporal } from './context.js';
import { exitCodes } from './exit-codes.js';
import { causesOf } from './fail.js';
import { findRun } from './find-run.js';
import { reportOf } from './look.js';
import { planLines } from './plan-view.js';
import { printable } from './printable.js';

type Answer = keyof typeof updateNames;
const answerDeadlineMs = 10_000;

/** `approve RUN` and `deny RUN`: shows the plan, then answers with its digest. */
export async function answerApproval(
  context: Context,
  run: string,
  answer: Answer,
  given: { digest?: string; note?: string },
): Promise<number> {
  const temporal = await context.temporal();
  const { handle, description } = await findRun(temporal, run);
  if (description.status.name !== 'RUNNING') throw notWaiting(run, 'it has ended');
  const report = await reportOf(temporal, handle);
  if (!report)
    throw new HoldfastError('HF_HOST_UNREACHABLE', 'No orchestrator answers for this run', {
      next: 'Start "holdfast up" or "holdfast orchestrator", then answer again',
    });
  const plan = askedOf(report);
  if (!plan) throw notWaiting(run, 'it does not wait for an answer');
  if (given.digest !== undefined && given.digest !== plan.digest)
    throw new HoldfastError(
      'HF_NOT_APPROVED',
      `The plan of ${run} is not the one of this digest; nothing was answered`,
      {
        next: `Look at the plan again: "holdfast show ${run}"`,
      },
    );
  if (!context.json) for (const line of plan.lines) context.out(printable(line));
  await sendAnswer(temporal, run, answer, plan, given.note);
  const word = answer === 'approve' ? 'approved' : 'denied';
  if (context.json) context.out(JSON.stringify({ run, answer: word, digest: plan.digest }));
  else context.out(`${word}; see it end: holdfast show ${run} --follow`);
  return exitCodes.done;
}

/** What a run asks right now, as it is shown to a human. */
export interface Asked {
  digest: string;
  lines: string[];
}

export function askedOf({ asks, plan, question, questionDetails = [] }: RunReport): Asked | undefined {
  if (asks === undefined) return undefined;
  if (plan?.digest === asks) return { digest: asks, lines: planLines(plan) };
  return question === undefined
    ? undefined
    : { digest: asks, lines: [`it asks: ${question}`, ...questionDetails] };
}

const notWaiting = (run: string, why: string): HoldfastError =>
  new HoldfastError('HF_RUN_NOT_FOUND', `Nothing of ${run} waits for an approval: ${why}`, {
    next: `"holdfast show ${run}" says where it stands`,
  });

/** As they are typed: the yes is for just what was shown. */
export const answerCommands = (run: string, { digest }: Pick<Asked, 'digest'>) => ({
  yes: `holdfast approve ${run} --digest ${digest}`,
  no: `holdfast deny ${run}`,
});

/** The workflow checks the digest again: an answer to a plan that has changed meanwhile is refused there. */
export async function sendAnswer(
  temporal: Temporal,
  run: string,
  answer: Answer,
  plan: Pick<RestorePlan, 'digest'>,
  note?: string,
): Promise<void> {
  const args: [ApprovalAnswer] = [{ digest: plan.digest, by: userName(), ...(note && { note }) }];
  const handle = temporal.client.workflow.getHandle(run);
  try {
    const deadline = Date.now() + answerDeadlineMs;
    await temporal.connection.withDeadline(deadline, () =>
      handle.executeUpdate(updateNames[answer], { args }),
    );
  } catch (error) {
    const refused = causesOf(error).find((cause) => cause.name === 'WorkflowUpdateFailedError');
    if (!refused) throw error;
    const reason = causesOf(refused).at(-1)?.message ?? refused.message;
    throw new HoldfastError('HF_NOT_APPROVED', `The run did not take the answer: ${reason.slice(0, 200)}`);
  }
}

/** Who answered, for the history; a container may have no name for its user. */
function userName(): string {
  try {
    return process.env.SUDO_USER || userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
