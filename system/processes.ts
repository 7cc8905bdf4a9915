import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Questions about this machine's own processes. */

/** The kernel counts a process's age in these, on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** What the machine calls itself: tools write it into their locks. */
export const machineName = async (): Promise<string> => hostname();

/** When a process was started, in milliseconds since 1970; undefined when it is dead, or dead and not yet reaped. */
export async function processStartedAt(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  });
  const uptime = stat === undefined ? undefined : parseProcessStat(stat);
  if (uptime === undefined) return undefined;
  return startOf(await readFile('/proc/stat', 'utf8'), uptime);
}

/** From /proc/stat, which knows when the machine was started. */
export function startOf(stat: string, uptimeMs: number): number {
  const [, bootedAt] = /^btime (\d+)$/m.exec(stat) ?? [];
  return Number(bootedAt) * 1000 + uptimeMs;
}

/** Milliseconds from the machine's start to the process's, from /proc/PID/stat; undefined for a zombie. */
export function parseProcessStat(stat: string): number | undefined {
  // The second field is the program's name, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (/^[ZX]/.test(fields[0] ?? '')) return undefined;
  return (Number(fields[19]) * 1000) / ticksPerSecond;
}
