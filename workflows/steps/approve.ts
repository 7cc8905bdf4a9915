import { allHandlersFinished, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import type { ApprovalAnswer } from '../../contracts/jobs.js';
import { updateNames } from '../../contracts/names.js';
import { failure } from './failure.js';
import type { Report } from './report.js';

/** An approval is an Update: it is answered, it can be refused, and a refused one leaves no trace in the history. */
export const approveUpdate = defineUpdate<string, [ApprovalAnswer]>(updateNames.approve);
export const denyUpdate = defineUpdate<string, [ApprovalAnswer]>(updateNames.deny);

export interface Question {
  /** Of what is shown; an answer to anything else is refused. */
  digest: string;
  /** In words, for those who look at why the run waits. */
  what: string;
  /** What it is about in full: shown to who is asked, and in the Web UI. */
  details?: string[];
  /** What is so after a no, where something was done before the question. */
  otherwise?: string;
  /** No answer by then is a no. */
  withinMs: number;
}

/** Waits for a human's yes to just what was shown; a no, or no answer in time, ends the run with nothing of it done. */
export async function askApproval(
  { digest, what, details, otherwise = 'Nothing was changed.', withinMs }: Question,
  report: Report,
): Promise<ApprovalAnswer> {
  // A summary may have 200 characters; what is asked stands in the report, as long as it is.
  const short = (what.split('\n')[0] ?? '').slice(0, 150);
  let answer: (ApprovalAnswer & { yes: boolean }) | undefined;
  let closed = false;
  const decide = (yes: boolean) => (given: ApprovalAnswer) => {
    answer = { ...given, yes };
    return yes ? 'approved' : 'denied';
  };
  const validator = (given: ApprovalAnswer): void => {
    if (answer || closed) throw new Error('This question has been answered already, or its time is over');
    if (given?.digest !== digest)
      throw new Error('The answer is for something else than what is shown now: look again');
  };
  setHandler(approveUpdate, decide(true), { validator, description: `Say yes to: ${short}` });
  setHandler(denyUpdate, decide(false), { validator, description: `Say no to: ${short}` });
  report.ask(digest, what, details);
  report.waitFor(`an answer: ${short}`);
  const untilMs = Date.now() + withinMs;
  await report.tell({ event: 'question', what, lines: details ?? [], digest, untilMs });
  await condition(() => answer !== undefined, withinMs, { summary: `wait for an answer: ${short}` });
  closed = true;
  report.ask(undefined);
  await condition(allHandlersFinished);
  report.waitFor(undefined);
  if (answer?.yes) return answer;
  const why = answer
    ? `${answer.by} said no${answer.note ? `: ${answer.note}` : ''}`
    : 'Nobody answered in time';
  throw failure('HF_NOT_APPROVED', `${why}. ${otherwise}`);
}
