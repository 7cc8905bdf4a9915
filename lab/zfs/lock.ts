import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Lets one process at a time start or end guests; answers undefined when somebody else is at it for longer than we wait.
 * The kernel frees the lock when we die: `flock` ends with the pipe that we hold.
 */
export async function withLock<T>(
  file: string,
  waitSeconds: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const args = ['--timeout', String(waitSeconds), file, 'sh', '-c', 'echo held; exec cat'];
  const holder = spawn('flock', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(holder, 'exit');
  const held = once(holder.stdout, 'data').then(() => true);
  if (!(await Promise.race([held, ended.then(() => false)]))) return undefined;
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
