import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { HoldfastError } from '../contracts/errors.js';
import { ticks } from './clock.js';
import { childEnvironment, requireProgram } from './environment.js';
import type { Command, RunOptions, RunResult } from './host.js';
import { redact } from './redact.js';

/** The one door to processes. A pipeline of one is how a single command runs, so that there is one way to start, read and stop. */

const tailBytes = 4096;
const defaultMaxStdoutBytes = 16 * 2 ** 20;
const defaultKillAfterMs = 30_000;
/** What flock ends with when it may not wait; no tool of ours ends so. */
const lockTakenExit = 113;
/** A grandchild may keep our end of the output open for ever (measured: 297 s); what the leader wrote is read long before. */
const drainAfterExitMs = 5_000;

interface Ended {
  exitCode: number | undefined;
  signal: string | undefined;
}

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
    commands.map((command, index) => prepare(command, index === 0 ? options : {})),
  );
  const started = ticks();
  const children: ChildProcess[] = [];
  const stopper = new Stopper(prepared, children, options);
  try {
    for (const [index, command] of prepared.entries()) {
      children.push(start(command, children.at(-1)?.stdout ?? undefined));
      // Our copy of a pipe's reading end must go: else a writer outlives its dead reader.
      if (index > 0) children[index - 1]?.stdout?.destroy();
    }
    const outputs = children.map((child, index) =>
      collect(child, index === children.length - 1, options, stopper),
    );
    const ends = await Promise.all(children.map(ended));
    options.signal?.throwIfAborted();
    if (stopper.failure) throw stopper.failure;
    if (options.lockTaken === 'refuse' && ends[0]?.exitCode === lockTakenExit) throw lockIsTaken();
    return ends.map((end, index) => ({
      ...end,
      stdout: outputs[index]?.stdout.join('') ?? '',
      stderrTail: redact(outputs[index]?.stderrTail ?? '', options.secrets).slice(-tailBytes),
      durationMs: ticks() - started,
    }));
  } finally {
    stopper.close();
  }
}

const lockIsTaken = (): HoldfastError =>
  new HoldfastError(
    'HF_HOST_LOCKED',
    'An earlier attempt still works on the same thing on this host. It is tried again',
  );

/** With a lock, the program runs under util-linux flock without a fork in between: the lock lives as long as the program. */
async function prepare(
  command: Command,
  { lock, lockTaken, onLockWait, signal }: RunOptions,
): Promise<Command> {
  const file = requireProgram(command.file);
  if (!lock) return { ...command, file };
  mkdirSync(dirname(lock), { recursive: true, mode: 0o700 });
  const flock = requireProgram('flock');
  const refuse = lockTaken === 'refuse' ? ['--nonblock', `--conflict-exit-code=${lockTakenExit}`] : [];
  if (onLockWait && refuse.length === 0) {
    const probe = await run({ file: flock, args: ['--nonblock', lock, 'true'] }, { signal });
    if (probe.exitCode !== 0) onLockWait();
  }
  return {
    ...command,
    file: flock,
    args: [...refuse, '--exclusive', '--no-fork', lock, file, ...command.args],
  };
}

function start(command: Command, input: Readable | undefined): ChildProcess {
  return spawn(command.file, [...command.args], {
    cwd: command.cwd,
    env: childEnvironment(command.env),
    // A group of its own: a signal reaches grandchildren too, and Ctrl-C at the worker's terminal does not.
    detached: true,
    stdio: [input ?? 'ignore', 'pipe', 'pipe'],
  });
}

interface Output {
  stdout: string[];
  stderrTail: string;
}

function collect(child: ChildProcess, isLast: boolean, options: RunOptions, stopper: Stopper): Output {
  const output: Output = { stdout: [], stderrTail: '' };
  const maxBytes = options.maxStdoutBytes ?? (options.onLine ? 0 : defaultMaxStdoutBytes);
  let bytes = 0;
  const hear = (line: string, stream: 'stdout' | 'stderr', listen: RunOptions['onLine']): void => {
    try {
      if (!stopper.failure) listen?.(line, stream);
    } catch (error) {
      // Thrown out of a stream it would end the worker, and with it every other tool.
      stopper.fail(error instanceof Error ? error : new Error(String(error)));
    }
  };
  if (isLast && child.stdout) {
    readLines(
      child.stdout,
      (line) => hear(line, 'stdout', options.onLine),
      (chunk) => {
        if (maxBytes === 0) return;
        bytes += Buffer.byteLength(chunk);
        if (bytes > maxBytes)
          stopper.fail(
            new HoldfastError('HF_INTERNAL', `${child.spawnfile} printed more than ${maxBytes} bytes`),
          );
        else output.stdout.push(chunk);
      },
    );
  }
  if (child.stderr) {
    readLines(
      child.stderr,
      (line) => {
        const clean = redact(line, options.secrets);
        hear(clean, 'stderr', options.onLine);
        hear(clean, 'stderr', options.log);
      },
      (chunk) => {
        // Twice as much as is handed back: a secret that is cut in two is not known again.
        output.stderrTail = (output.stderrTail + chunk).slice(-2 * tailBytes);
      },
    );
  }
  return output;
}

/** Lines of any length: restic's JSON lines can be megabytes. */
function readLines(stream: Readable, onLine: (line: string) => void, onChunk: (chunk: string) => void): void {
  let parts: string[] = [];
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    onChunk(chunk);
    const pieces = chunk.split('\n');
    const last = pieces.pop() ?? '';
    for (const piece of pieces) {
      onLine(parts.join('') + piece);
      parts = [];
    }
    if (last) parts.push(last);
  });
  stream.on('close', () => {
    if (parts.length > 0) onLine(parts.join(''));
  });
  stream.on('error', () => undefined);
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

/** Stops the groups of all children: the tool's own signal first, SIGKILL when it does not go. */
class Stopper {
  failure: Error | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly commands: readonly Command[],
    private readonly children: readonly ChildProcess[],
    private readonly options: RunOptions,
  ) {
    options.signal?.addEventListener('abort', this.stop, { once: true });
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.stop();
  }

  readonly stop = (): void => {
    this.children.forEach((child, index) => {
      signalGroup(child, this.commands[index]?.stopSignal ?? 'SIGTERM');
    });
    this.timer ??= setTimeout(() => {
      for (const child of this.children) signalGroup(child, 'SIGKILL');
    }, this.options.killAfterMs ?? defaultKillAfterMs);
  };

  close(): void {
    this.options.signal?.removeEventListener('abort', this.stop);
    clearTimeout(this.timer);
    // What a stopped leader left behind in its group must not go on working.
    if (this.timer) for (const child of this.children) signalGroup(child, 'SIGKILL');
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (!child.pid) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already: that is what was wanted.
  }
}
