import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { HoldfastError } from '../../contracts/errors.js';

/** Questions to the person at the keyboard, on standard error: standard output is the answer. */

/** What is typed is not shown. */
export async function askSecret(question: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new HoldfastError('HF_USAGE', 'The password cannot be asked for: this is not a terminal', {
      next: 'Give --password-file FILE, or set RESTIC_PASSWORD or RESTIC_PASSWORD_FILE',
    });
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const secret = await answerTo('', nowhere);
  process.stderr.write('\n');
  return secret;
}

/** One line of text. */
export const askText = (question: string): Promise<string> => answerTo(question, process.stderr);

async function answerTo(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
