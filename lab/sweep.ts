import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const argumentsOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

/**
 * Ends what a killed test or demo left running: processes whose arguments name the folder that was made for this run alone.
 * Answers what it ended, because a leftover is worth knowing about.
 */
export function endLeftovers(folder: string): string[] {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid);
  const found = pids.filter((pid) => argumentsOf(pid).includes(folder));
  return found.flatMap((pid) => {
    const words = argumentsOf(pid).replaceAll('\0', ' ').trim().slice(0, 120);
    try {
      process.kill(pid, 'SIGKILL');
      return [words];
    } catch {
      return [];
    }
  });
}

/** Takes away the file systems that a killed test left mounted below its folder; the kernel writes a space as \\040. */
export function unmountBelow(folder: string): void {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.reverse()) spawnSync('umount', ['--lazy', point]);
}
