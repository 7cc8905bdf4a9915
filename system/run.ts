import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { HoldfastError } from '../contracts/errors.js';
import { childEnvironment, requireProgram } from './environment.js';
import type { Command, RunOptions, RunResult } from './host.js';
import type { Output, OutputOptions } from './output.js';
import { type Ended, type Part, runTogether, type Starter } from './parts.js';

/** The one door to processes. A pipeline of one is how a single command runs, so that there is one way to start, read and stop. */

/** What flock ends with when it may not wait; no tool of ours ends so. */
const lockTakenExit = 113;
/** A grandchild may keep our end of the output open for ever (measured: 297 s); what the leader wrote is read long before. */
const drainAfterExitMs = 5_000;

/** Runs one program. A failing exit is a result; only a missing program, too much output or a cancellation throws. */
export async function run(command: Command, options: RunOptions = {}): Promise<RunResult> {
  const [result] = await runPipeline([command], options);
  if (!result) throw new HoldfastError('HF_INTERNAL', `${command.file} gave no result`);
  return result;
}

/** Joins programs by kernel pipes; only the last one's standard output and everyone's standard error come to us. */
export async function runPipeline(
  commands: readonly Command[],
  options: RunOptions = {},
): Promise<RunResult[]> {
  options.signal?.throwIfAborted();
  const prepared = await Promise.all(
    commands.map((command, index) => prepareLocal(command, index === 0 ? options : {})),
  );
  const starters = prepared.map((command, index) =>
    localStarter(command, options, index === prepared.length - 1),
  );
  const results = await runTogether(starters, options);
  refuseTaken(options, results[0]);
  return results;
}

/** A program of this machine, made ready by `prepareLocal`. */
export const localStarter = (command: Command, listeners: OutputOptions, isLast: boolean): Starter => ({
  command,
  listeners,
  start: (output, input) => startProcess(command, input ?? 'ignore', output, isLast),
});

/** With a lock, the program runs under util-linux flock without a fork in between: the lock lives as long as the program. */
export async function prepareLocal(
  command: Command,
  { lock, lockTaken, onLockWait, signal, pidFile }: RunOptions,
): Promise<Command> {
  const named = { ...command, file: requireProgram(command.file) };
  const plain = pidFile === undefined ? named : withPidFile(named, pidFile);
  if (!lock) return plain;
  mkdirSync(dirname(lock), { recursive: true, mode: 0o700 });
  const flock = requireProgram('flock');
  const refuse = lockTaken === 'refuse' ? ['--nonblock', `--conflict-exit-code=${lockTakenExit}`] : [];
  if (onLockWait && refuse.length === 0) {
    const probe = await run({ file: flock, args: ['--nonblock', lock, 'true'] }, { signal });
    if (probe.exitCode !== 0) onLockWait();
  }
  return {
    ...plain,
    file: flock,
    args: [...refuse, '--exclusive', '--no-fork', lock, plain.file, ...plain.args],
  };
}

/** The process writes its own number down before it becomes the program: even the death of our worker leaves no gap. */
const withPidFile = (command: Command, pidFile: string): Command => ({
  ...command,
  file: 'sh',
  args: ['-c', '{ echo $$ > "$0"; } 2>/dev/null; exec "$@"', pidFile, command.file, ...command.args],
});

/** To be asked of the first result when the lock may be taken. */
export function refuseTaken({ lock, lockTaken }: RunOptions, result: RunResult | undefined): void {
  if (lock !== undefined && lockTaken === 'refuse' && result?.exitCode === lockTakenExit) throw lockIsTaken();
}

/** For who must first look again at what the holder does. */
export const lockIsTaken = (): HoldfastError =>
  new HoldfastError(
    'HF_HOST_LOCKED',
    'An earlier attempt still works on the same thing on this host. It is tried again',
  );

/** Starts a program of this machine; `input` is a pipe's end, nothing, or for us to write to. */
export function startProcess(
  command: Command,
  input: Readable | 'ignore' | 'pipe',
  output: Output,
  isLast: boolean,
  own?: (line: string) => boolean,
): Part & { child: ChildProcess } {
  const child = spawned(command, input);
  if (isLast && child.stdout) output.readStdout(child.stdout);
  if (child.stderr) output.readStderr(child.stderr, own);
  return {
    child,
    stdout: isLast ? undefined : (child.stdout ?? undefined),
    ended: ended(child),
    stop: (signal) => signalGroup(child, signal as NodeJS.Signals),
  };
}

function spawned(command: Command, input: Readable | 'ignore' | 'pipe'): ChildProcess {
  try {
    return spawn(command.file, [...command.args], {
      cwd: command.cwd,
      env: childEnvironment(command.env),
      // A group of its own: a signal reaches grandchildren too, and Ctrl-C at the worker's terminal does not.
      detached: true,
      stdio: [input, 'pipe', 'pipe'],
    });
  } catch (error) {
    throw notStarted(command, error as NodeJS.ErrnoException);
  }
}

/** Node throws some refusals of the system at once. Words that are too long are so at every try: that is a mistake of ours. */
function notStarted({ file, args }: Command, error: NodeJS.ErrnoException): HoldfastError {
  const bytes = args.reduce((sum, word) => sum + Buffer.byteLength(word), 0);
  const code = error.code === 'E2BIG' ? 'HF_INTERNAL' : 'HF_TOOL_FAILED';
  return new HoldfastError(
    code,
    `Cannot start ${file} with ${args.length} words of ${bytes} bytes: ${error.message}`.slice(0, 300),
    {},
    { cause: error },
  );
}

function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let drain: NodeJS.Timeout | undefined;
    child.once('error', (error) =>
      reject(
        new HoldfastError(
          'HF_TOOL_MISSING',
          `Cannot start ${child.spawnfile}: ${error.message}`,
          {},
          { cause: error },
        ),
      ),
    );
    child.once('exit', () => {
      const letGo = (): void => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      };
      // After a pause of our own the timer is due before what waits in the pipe was read: reading comes first.
      drain = setTimeout(() => setImmediate(letGo), drainAfterExitMs);
    });
    child.once('close', (code, signal) => {
      clearTimeout(drain);
      resolve({ exitCode: code ?? undefined, signal: signal ?? undefined });
    });
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (!child.pid) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already: that is what was wanted.
  }
}
