import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { HoldfastError } from '../contracts/errors.js';
import { childEnvironment, requireProgram } from './environment.js';
import type { Command } from './host.js';

/** A program that outlives us: its output goes to a file, so that it does not die of a broken pipe when we are killed. */
export interface Daemon {
  pid: number;
  /** Resolves when the program is gone, for whatever reason. */
  ended: Promise<void>;
}

export function startDaemon(command: Command, logFile: string): Daemon {
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(requireProgram(command.file), [...command.args], {
    cwd: command.cwd,
    env: childEnvironment(command.env),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  // A made-up number would be signalled later: 0 is the whole group of ours.
  if (child.pid === undefined)
    throw new HoldfastError(
      'HF_TOOL_FAILED',
      `Cannot start ${command.file}: the system made no process (its folder is gone, or the machine is out of processes or memory)`,
    );
  return { pid: child.pid, ended };
}

const pollMs = 250;

/** A daemon that an earlier process of ours has left running; undefined when the pid is gone or is another program's by now. */
export function adoptDaemon(pid: number, argument: string): Daemon | undefined {
  if (!isProcess(pid, argument)) return undefined;
  const ended = (async () => {
    while (isProcess(pid, argument)) await wait(pollMs, undefined, { ref: false });
  })();
  return { pid, ended };
}

/** A pid alone proves nothing, it may be another program's by now: one of its arguments must be the one we gave. */
export function isProcess(pid: number, argument: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument);
  } catch {
    return false;
  }
}

/** Asks the daemon to end, and ends it when it does not within the time. */
export async function stopDaemon({ pid, ended }: Daemon, killAfterMs: number): Promise<void> {
  signalProcess(pid, 'SIGTERM');
  const timer = setTimeout(() => signalProcess(pid, 'SIGKILL'), killAfterMs);
  await ended;
  clearTimeout(timer);
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already: that is what was wanted.
  }
}
