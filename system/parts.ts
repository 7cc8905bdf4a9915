import type { Readable } from 'node:stream';
import { ticks } from './clock.js';
import type { Command, RunResult } from './host.js';
import { Output, type OutputOptions } from './output.js';

/** Several programs that run together, wherever each of them is: started in order, stopped together, and one result for each. */

const defaultKillAfterMs = 30_000;

export interface Ended {
  exitCode: number | undefined;
  /** "SIGKILL". */
  signal: string | undefined;
}

/** One program that was started. */
export interface Part {
  /** For the next one to read from; only where bytes pass through this machine, and then it is there at once. */
  stdout?: Readable | undefined;
  /** It reads its input in this process, and lets go of it itself. */
  keepsInput?: true;
  /** Rejects when it could not be started, or nothing is known of its end. */
  ended: Promise<Ended>;
  /** Signals everything that it has started too. */
  stop(signal: string): Promise<void> | void;
}

/** Starts one; `input` is what the one before prints, where that passes through this machine. */
export interface Starter {
  command: Command;
  /** What is done with its lines, and what is kept. */
  listeners: OutputOptions;
  start(output: Output, input: Readable | undefined): Promise<Part> | Part;
}

export interface TogetherOptions {
  signal?: AbortSignal | undefined;
  killAfterMs?: number | undefined;
}

/** To their end. A failing exit is a result; whatever else is wrong stops them all and is thrown. */
export async function runTogether(
  starters: readonly Starter[],
  options: TogetherOptions,
): Promise<RunResult[]> {
  const started = ticks();
  const stopper = new Stopper(options);
  const outputs: Output[] = [];
  try {
    const ends: Promise<Ended>[] = [];
    let input: Readable | undefined;
    for (const { command, listeners, start } of starters) {
      if (stopper.failure) break;
      const output = new Output(command.file, listeners, stopper.fail);
      outputs.push(output);
      const reading = input;
      // Without a pause between neighbours: what a program prints before somebody has its pipe, Node would read and throw away at its end.
      const begun = begin(start, output, reading);
      // Our copy of a pipe's reading end must go: else a writer outlives its dead reader.
      if ('then' in begun || !begun.keepsInput) reading?.destroy();
      input = 'then' in begun ? undefined : begun.stdout;
      ends.push(stopper.follow(begun, command));
    }
    const ended = await Promise.all(ends);
    options.signal?.throwIfAborted();
    if (stopper.failure) throw stopper.failure;
    return ended.map((end, index) => ({
      ...end,
      ...(outputs[index]?.result() ?? { stdout: '', stderrTail: '' }),
      durationMs: ticks() - started,
    }));
  } finally {
    await stopper.close();
  }
}

/** A part that could not be started is one that ends with the reason. */
function begin(start: Starter['start'], output: Output, input: Readable | undefined): Part | Promise<Part> {
  try {
    return start(output, input);
  } catch (error) {
    return Promise.reject(error);
  }
}

const nothingKnown: Ended = { exitCode: undefined, signal: undefined };

interface Followed {
  part: Part;
  command: Command;
}

/** Stops all: the tool's own signal first, SIGKILL when it does not go. */
class Stopper {
  failure: Error | undefined;
  private readonly parts: Followed[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: TogetherOptions) {
    options.signal?.addEventListener('abort', this.stop, { once: true });
  }

  /** To its end, which is unknown when it fails; then the others are stopped. */
  async follow(begun: Part | Promise<Part>, command: Command): Promise<Ended> {
    let followed: Followed | undefined;
    try {
      const part = 'then' in begun ? await begun : begun;
      followed = { part, command };
      this.parts.push(followed);
      // One that was started while the others were being stopped goes with them.
      if (this.timer) void part.stop(command.stopSignal ?? 'SIGTERM');
      return await part.ended;
    } catch (error) {
      // Out of sight, behind a lost connection, it may still do its work: it keeps its lock, and who comes next waits for it.
      if (followed) this.parts.splice(this.parts.indexOf(followed), 1);
      this.fail(error instanceof Error ? error : new Error(String(error)));
      return nothingKnown;
    }
  }

  readonly fail = (error: Error): void => {
    this.failure ??= error;
    this.stop();
  };

  private readonly stop = (): void => {
    for (const { part, command } of this.parts) void part.stop(command.stopSignal ?? 'SIGTERM');
    this.timer ??= setTimeout(() => void this.kill(), this.options.killAfterMs ?? defaultKillAfterMs);
  };

  private kill(): Promise<unknown> {
    return Promise.all(this.parts.map(({ part }) => part.stop('SIGKILL')));
  }

  async close(): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.stop);
    clearTimeout(this.timer);
    // What a stopped leader left behind in its group must not go on working.
    if (this.timer) await this.kill();
  }
}
