import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryRoot } from './root.js';
import { endChild, hasEnded, spawnTied } from './spawn.js';
import { waitFor } from './wait.js';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface HoldfastChild {
  pid: number;
  /** Lines so far, without line breaks. */
  stdout: string[];
  stderr: string[];
  /** The first line of either stream that fits, also one that is there already. */
  waitForLine(form: RegExp | string, timeoutMs?: number): Promise<string>;
  /** Resolves when the process is gone and its output read. */
  exit: Promise<Ended>;
  running(): boolean;
  /** Sends a signal to this process alone and waits for its end (SIGKILL after 10 s). */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
  /** Sends a signal and does not wait. */
  signal(signal: NodeJS.Signals): void;
}

export interface HoldfastOptions {
  cwd?: string;
  /** Another Node than the one that runs the tests. */
  node?: string;
}

const fits = (line: string, form: RegExp | string): boolean =>
  typeof form === 'string' ? line.includes(form) : form.test(line);

/** Our own command line as the user has it: a child process of bin/holdfast.js. Variables given as undefined are taken out. */
export function startHoldfast(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  options: HoldfastOptions = {},
): HoldfastChild {
  const child = spawnTied(
    options.node ?? process.execPath,
    [join(repositoryRoot, 'bin/holdfast.js'), ...args],
    {
      cwd: options.cwd ?? repositoryRoot,
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const stdout: string[] = [];
  const stderr: string[] = [];
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => stdout.push(line));
  if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line));
  const text = (lines: string[]) => lines.map((line) => `${line}\n`).join('');
  const exit = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) =>
      setImmediate(() => resolve({ code, signal, stdout: text(stdout), stderr: text(stderr) })),
    );
  });
  const find = (form: RegExp | string) => [...stdout, ...stderr].find((line) => fits(line, form));
  return {
    pid: child.pid ?? -1,
    stdout,
    stderr,
    exit,
    running: () => !hasEnded(child),
    signal: (signal) => void child.kill(signal),
    async stop(signal = 'SIGTERM') {
      await endChild(child, signal);
      return await exit;
    },
    async waitForLine(form, timeoutMs = 30_000) {
      const what = `a line with ${form} from "holdfast ${args.join(' ')}"`;
      const found = () => find(form) ?? (hasEnded(child) ? '' : undefined);
      await waitFor(() => found() !== undefined, { timeoutMs, what });
      const line = find(form);
      if (line !== undefined) return line;
      throw new Error(`${what} never came, it ended: ${[...stdout, ...stderr].slice(-20).join('\n')}`);
    },
  };
}

/** Runs a command to its end. */
export const runHoldfast = (
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  options: HoldfastOptions = {},
): Promise<Ended> => startHoldfast(args, env, options).exit;
