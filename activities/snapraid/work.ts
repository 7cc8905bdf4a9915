import { wait } from '../../system/clock.js';
import type { RunResult } from '../../system/host.js';
import type { SnapArray } from './array.js';
import { failed } from './ask.js';
import { readLogCommand, type Verb, workCommand } from './command.js';
import { refuseOthers } from './others.js';
import { lastPosition } from './parse-work.js';

/** Work that takes hours: syncs, scrubs, repairs. */

/** Content files of large arrays are written to several disks before it ends. */
const killAfterMs = 300_000;
const lookEveryMs = 2_000;

export interface Worked {
  lines: string[];
  result: RunResult;
}

/** Runs to its end, and answers what it has written down; what that means is for who asked. */
export async function work(array: SnapArray, asked: Verb, signal = array.tools.signal): Promise<Worked> {
  const { tools, called, lock } = array;
  const { host, log } = tools;
  const folder = `${host.stateFolder}/snapraid`;
  const file = logOf(array, asked.verb);
  await host.makeFolder(folder);
  const over = new AbortController();
  const watching = watch(array, file, over.signal);
  let hasEnded = false;
  try {
    const command = { ...workCommand(called, asked, file), stopSignal: 'SIGINT' as const };
    const ended = await host.run(command, {
      signal,
      killAfterMs,
      lock,
      log,
      onLockWait: () => log('an earlier attempt still works on the array: it is waited for'),
    });
    hasEnded = true;
    const result = { ...ended, stderrTail: ended.stderrTail + (await lastWords(array, `${file}.err`)) };
    await refuseOthers(array, result);
    return { lines: await readLog(array, file), result };
  } finally {
    over.abort();
    await watching;
    // Behind a connection that was lost it may go on, and what it writes is then all that tells its errors.
    if (hasEnded || signal.aborted)
      for (const written of [file, `${file}.err`])
        await host.removeTree(written, folder).catch(() => undefined);
  }
}

const logOf = ({ tools: { host }, input }: SnapArray, verb: string): string =>
  `${host.stateFolder}/snapraid/${input.run}.${input.resource}.${verb}.log`;

/** What an attempt has written down whose worker was killed; nothing when there is none. */
export const leftLog = (array: SnapArray, verb: Verb['verb']): Promise<string[]> =>
  readLog(array, logOf(array, verb));

/** As much of it as a result of ours keeps. */
async function lastWords({ tools: { host, log } }: SnapArray, file: string): Promise<string> {
  const { stdout } = await host.run({ file: 'tail', args: ['-c', '4096', '--', file] });
  for (const line of stdout.split('\n')) if (line.trim() !== '') log(line);
  return stdout;
}

/** How far it is, from the end of its own log. */
async function watch({ tools }: SnapArray, file: string, over: AbortSignal): Promise<void> {
  const { host, progress } = tools;
  while (!over.aborted) {
    await wait(lookEveryMs, over).catch(() => undefined);
    if (over.aborted) return;
    const looked = await host
      .run({ file: 'tail', args: ['-c', '4000', '--', file] }, { signal: over })
      .catch(() => undefined);
    const position = looked && lastPosition(looked.stdout);
    if (position) progress(position);
  }
}

async function readLog(array: SnapArray, file: string): Promise<string[]> {
  const { host } = array.tools;
  if (!(await host.exists(file))) return [];
  const lines: string[] = [];
  const result = await host.run(readLogCommand(file), {
    onLine: (line, stream) => void (stream === 'stdout' && lines.push(line)),
  });
  // 1 is "no line is left".
  if (result.exitCode !== 0 && result.exitCode !== 1) throw failed('log', result, array);
  return lines;
}
