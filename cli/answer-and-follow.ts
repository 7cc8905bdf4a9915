import { HoldfastError } from '../contracts/errors.js';
import { type Asked, answerCommands, sendAnswer } from './approval.js';
import type { Context, Temporal } from './context.js';
import { followAndTell, tellEnd } from './end.js';
import { exitCodes } from './exit-codes.js';
import { linesFor } from './follow-view.js';
import { printable } from './printable.js';

export interface AnswerOptions {
  /** What is asked below the lines of the plan. */
  question: string;
  /** Everything that the run asks is shown and then taken as approved. */
  yes: boolean;
}

/** Follows a run to its end and puts what it asks to the person at the terminal; each answer is bound to what was shown. */
export async function answerAndFollow(
  context: Context,
  temporal: Temporal,
  run: string,
  options: AnswerOptions,
): Promise<number> {
  const lines = linesFor(context);
  const answered = new Set<string>();
  for (;;) {
    const end = await followAndTell(context, temporal, run, { lines, answered });
    if ('interrupted' in end) return exitCodes.interrupted;
    if ('result' in end) return tellEnd(context, run, end.result);
    const answer = await answerTo(end.asked, context, options);
    if (answer === 'interrupted') {
      context.note(stillWaits(run, end.asked));
      return exitCodes.interrupted;
    }
    const why = answer === 'nobody' ? 'not a terminal, and no --yes' : undefined;
    await sendAnswer(temporal, run, answer === 'yes' ? 'approve' : 'deny', end.asked, why);
    if (answer === 'nobody') throw nobodyToAsk(run);
    answered.add(end.asked.digest);
  }
}

/** After Ctrl-C: what was shown can still be answered, and nothing else by these words. */
export function stillWaits(run: string, asked: Pick<Asked, 'digest'>): string {
  const { yes, no } = answerCommands(run, asked);
  return `${run} still waits for an answer: ${yes}, or ${no}`;
}

async function answerTo({ lines }: Asked, context: Context, { question, yes }: AnswerOptions) {
  if (!context.json) for (const line of lines) context.out(printable(line));
  if (yes) return 'yes';
  return context.interactive ? context.ask(question) : 'nobody';
}

/** Nobody can be asked, so the answer is no: a script that means yes says --yes. */
const nobodyToAsk = (run: string): HoldfastError =>
  new HoldfastError(
    'HF_NOT_APPROVED',
    `${run} was not approved: this is not a terminal; nothing was changed`,
    {
      next: 'Give --yes when the plan shall be taken as it is',
    },
  );
