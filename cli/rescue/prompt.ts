import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { HoldfastError } from '../../contracts/errors.js';
import { exitCodes } from '../exit-codes.js';

/** Questions to the person at the keyboard, on standard error: standard output is the answer. */

/** What is typed is not shown. */
export async function askSecret(question: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new HoldfastError('HF_USAGE', 'The password cannot be asked for: this is not a terminal', {
      next: 'Give --password-file FILE, or set RESTIC_PASSWORD or RESTIC_PASSWORD_FILE',
    });
  try {
    return await answerTo(question, { hidden: true });
  } finally {
    process.stderr.write('\n');
  }
}

/** One line of text. */
export const askText = (question: string): Promise<string> => answerTo(question, { hidden: false });

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** Ctrl-C and the end of the input are answers too: without them the question would stay open for ever, or end in silence. */
async function answerTo(question: string, { hidden }: { hidden: boolean }): Promise<string> {
  const output = hidden ? nowhere() : process.stderr;
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  // Only now does the terminal echo nothing: who answers at once must not see the password on the screen.
  if (hidden) process.stderr.write(question);
  const refused = new Promise<never>((_resolve, reject) => {
    lines.once('SIGINT', () => reject(stopped('HF_CANCELLED', 'Interrupted', exitCodes.interrupted)));
    lines.once('close', () => reject(stopped('HF_NOT_APPROVED', 'There was no answer', exitCodes.refused)));
  });
  try {
    return await Promise.race([lines.question(hidden ? '' : question), refused]);
  } finally {
    refused.catch(() => undefined);
    lines.close();
  }
}

const stopped = (code: 'HF_CANCELLED' | 'HF_NOT_APPROVED', what: string, exit: number): HoldfastError =>
  new HoldfastError(code, `${what}; nothing was restored`, { exit, next: 'The same command asks again' });
