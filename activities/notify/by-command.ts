import { HoldfastError } from '../../contracts/errors.js';
import type { Notice } from '../../contracts/notify.js';
import { type Outgoing, withinMs } from './outgoing.js';
import { subjectOf, textOf } from './render.js';

/** A program of the host: the text on its standard input, the rest in variables. No file of ours: a full disk must be told too. */
export async function sendByCommand(
  { host, channel, notice, signal }: Outgoing,
  argv: readonly string[],
): Promise<void> {
  const [file = '', ...args] = argv;
  // In a variable, because all users may read arguments; a pipe takes 64 KiB at once, so one that reads nothing holds nobody up.
  const text = { file: 'sh', args: ['-c', 'printf %s "$TEXT"'], env: { TEXT: textOf(notice) } };
  const tooLong = AbortSignal.timeout(withinMs);
  try {
    const [, result] = await host.pipe([text, { file, args, env: variablesOf(notice) }], {
      signal: AbortSignal.any([signal, tooLong]),
      maxStdoutBytes: 0,
    });
    if (result?.exitCode === 0) return;
    const words = result?.stderrTail.trim().split('\n').at(-1) ?? '';
    throw commandFailed(channel, `exit ${result?.exitCode ?? result?.signal}${words && `: ${words}`}`);
  } catch (error) {
    if (tooLong.aborted && !signal.aborted)
      throw commandFailed(channel, `it took longer than ${withinMs / 1000} s`);
    throw error;
  }
}

const commandFailed = (channel: string, why: string): HoldfastError =>
  new HoldfastError('HF_NOTIFICATION_FAILED', `${channel}: the program failed: ${why}`.slice(0, 300));

const variablesOf = (notice: Notice): Record<string, string> => ({
  HOLDFAST_SUBJECT: subjectOf(notice),
  HOLDFAST_EVENT: notice.event,
  ...(notice.job !== undefined && { HOLDFAST_JOB: notice.job }),
  ...(notice.run !== undefined && { HOLDFAST_RUN: notice.run }),
});
