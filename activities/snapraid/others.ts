import { HoldfastError } from '../../contracts/errors.js';
import type { RunResult } from '../../system/host.js';
import type { SnapArray } from './array.js';

/** Other programs that work on the same array: noticed, named, waited for or refused. */

export interface OtherProcess {
  pid: number;
  name: string;
  line: string;
}

/**
 * The kernel's own list, read by the shell alone: ps is missing in small containers, and busybox has another one. `PID NAME COMMAND LINE` of
 * each snapraid that lives. Process 1 is one of somebody else: a /proc that hides those (hidepid) hides its folder.
 */
export const processesScript = `{ read -r name < "$1/1/comm"; } 2>/dev/null || exit 3
for at in "$1"/[0-9]*; do
  { read -r name < "$at/comm" && read -r stat < "$at/stat"; } 2>/dev/null || continue
  case $name in snapraid | snapraidd) ;; *) continue ;; esac
  # It has ended, and only its parent does not know yet.
  case \${stat##*) } in [ZX]*) continue ;; esac
  printf '%s %s %s\\n' "\${at##*/}" "$name" "$(tr '\\000\\n' '  ' < "$at/cmdline")"
done
exit 0`;

/** Of what the script prints. Pure. */
export function processesIn(listing: string): OtherProcess[] {
  return listing.split('\n').flatMap((line) => {
    const [, pid, name = '', args = ''] = /^(\d+) (snapraidd?) (.*?)\s*$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), name, line: args }];
  });
}

/** undefined when the processes of others cannot be seen. */
export async function snapraidsOn(
  { host, signal }: SnapArray['tools'],
  proc = '/proc',
): Promise<OtherProcess[] | undefined> {
  const args = ['-c', processesScript, 'sh', proc];
  const { exitCode, stdout } = await host.run({ file: 'sh', args }, { signal });
  return exitCode === 0 ? processesIn(stdout) : undefined;
}

/** To be asked of a result: snapraid has a lock of its own, and says so in words alone. */
export async function refuseOthers(array: SnapArray, { exitCode, stderrTail }: RunResult): Promise<void> {
  if (exitCode !== 1 || !/is already (?:locked|in use)/i.test(stderrTail)) return;
  throw new HoldfastError(
    'HF_ARRAY_BUSY',
    `The array "${array.input.resource}" is in use by ${usersOf(array, await snapraidsOn(array.tools)).slice(0, 220)}. It is waited for`,
  );
}

/** In words. One that names our snapraid.conf is it; one that does not may have been told of it in another way. */
export function usersOf({ called }: Pick<SnapArray, 'called'>, all: OtherProcess[] | undefined): string {
  if (all === undefined) return 'a process that cannot be seen';
  const sure = all.filter(({ line }) => line.includes(called.config));
  const named = (sure.length > 0 ? sure : all).map(
    ({ pid, line, name }) => `${(line || name).slice(0, 120)} (process ${pid})`,
  );
  return named.length > 0 ? named.join('; ') : 'a process that has ended meanwhile';
}

/** The author's daemon has guards of its own and starts by itself; neither would know of the other. Which array is its, it does not say. */
export async function refuseDaemon(array: SnapArray, proc?: string): Promise<void> {
  const { host } = array.tools;
  const all = await snapraidsOn(array.tools, proc);
  if (all === undefined)
    throw new HoldfastError(
      'HF_ARRAY_OTHERS_HIDDEN',
      `Whether snapraidd runs on "${host.name}" and may work on "${array.input.resource}" cannot be seen: /proc does not show the processes of others`,
    );
  const daemon = all.find(({ name }) => name === 'snapraidd');
  if (!daemon) return;
  throw new HoldfastError(
    'HF_ARRAY_OTHER_MASTER',
    `snapraidd (process ${daemon.pid}) runs on "${host.name}" and may work on "${array.input.resource}" at any time. Stop and disable it, or leave the array to it`,
  );
}
