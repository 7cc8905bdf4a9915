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
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await answerTo('', nowhere);
  } finally {
    process.stderr.write('\n');
  }
}

/** One line of text. */
export const askText = (question: string): Promise<string> => answerTo(question, process.stderr);

/** Ctrl-C and the end of the input are answers too: without them the question would stay open for ever, or end in silence. */
async function answerTo(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  const refused = new Promise<never>((_resolve, reject) => {
    lines.once('SIGINT', () => reject(stopped('HF_CANCELLED', 'Interrupted', exitCodes.interrupted)));
    lines.once('close', () => reject(stopped('HF_NOT_APPROVED', 'There was no answer', exitCodes.refused)));
  });
  try {
    return await Promise.race([lines.question(question), refused]);
  } finally {
    refused.catch(() => undefined);
    lines.close();
  }
}

const stopped = (code: 'HF_CANCELLED' | 'HF_NOT_APPROVED', what: string, exit: number): HoldfastError =>
  new HoldfastError(code, `${what}; nothing was restored`, { exit, next: 'The same command asks again' });
