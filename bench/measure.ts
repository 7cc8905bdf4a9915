import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** Clocks and the kernel's own figures of a process. */

export const execute = promisify(execFile);

/** Seconds of wall time that the work took, and what it answered. */
export async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; value: T }> {
  const since = performance.now();
  const value = await work();
  return { seconds: (performance.now() - since) / 1000, value };
}

/** Runs a program to its end; what it says on standard output is thrown away, a failure is thrown with its words. */
export async function runTool(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words = (words + chunk).slice(-1000);
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${file} ${args[0]} ended with ${code}: ${words}`);
}

/** Writes what is dirty: else the one that comes second pays for the first. */
export const settleDisk = async (): Promise<void> => void (await execute('sync'));

/** Megabytes that a process holds in memory now. */
export function residentMegabytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kibibytes) * 1024) / 1e6;
}

/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock. */
const ticksPerSecond = 100;

/** Seconds of processor time that a process has used so far. */
export function processorSeconds(pid: number): number {
  // The second field is the program's name in brackets, which may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
