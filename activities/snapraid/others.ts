import { HoldfastError } from '../../contracts/errors.js';
import type { RunResult } from '../../system/host.js';
import type { SnapArray } from './array.js';

/** Other programs that work on the same array: noticed, named, waited for or refused. */

export interface OtherProcess {
  pid: number;
  name: string;
  line: string;
}

/** Of `ps -eo pid=,comm=,args=`. Pure. */
export function snapraidsIn(listing: string): OtherProcess[] {
  return listing.split('\n').flatMap((line) => {
    const [, pid, name = '', args = ''] = /^\s*(\d+)\s+(snapraidd?)\s+(.*?)\s*$/.exec(line) ?? [];
    // Without a command line of its own it has ended, and only its parent does not know yet.
    const isOver = pid === undefined || args.endsWith('<defunct>');
    return isOver ? [] : [{ pid: Number(pid), name, line: args }];
  });
}

async function others({ tools: { host, signal } }: SnapArray): Promise<OtherProcess[]> {
  const { exitCode, stdout } = await host.run({ file: 'ps', args: ['-eo', 'pid=,comm=,args='] }, { signal });
  return exitCode === 0 ? snapraidsIn(stdout) : [];
}

/** To be asked of a result: snapraid has a lock of its own, and says so in words alone. */
export async function refuseOthers(array: SnapArray, { exitCode, stderrTail }: RunResult): Promise<void> {
  if (exitCode !== 1 || !/is already (?:locked|in use)/i.test(stderrTail)) return;
  const named = (await others(array)).map(({ pid, line }) => `${line.slice(0, 120)} (process ${pid})`);
  const who = named.length > 0 ? named.join('; ') : 'a process that has ended meanwhile';
  throw new HoldfastError(
    'HF_ARRAY_BUSY',
    `The array "${array.input.resource}" is in use by ${who}. It is waited for`.slice(0, 300),
  );
}

/** The author's daemon has guards of its own and starts by itself; neither would know of the other. */
export async function refuseDaemon(array: SnapArray): Promise<void> {
  const daemon = (await others(array)).find(({ name }) => name === 'snapraidd');
  if (!daemon) return;
  throw new HoldfastError(
    'HF_ARRAY_OTHER_MASTER',
    `snapraidd (process ${daemon.pid}) runs on "${array.tools.host.name}" and may work on "${array.input.resource}" at any time. Stop and disable it, or leave the array to it`,
  );
}
