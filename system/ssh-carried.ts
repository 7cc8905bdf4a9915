import { PassThrough, type Readable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { Output } from './output.js';
import type { Ended, Part } from './parts.js';
import { endOf, judgeEnd, stopGroup, Voice } from './ssh-run.js';
import { asArgument, wrap } from './ssh-script.js';
import { endIn, readsWire, type Wired } from './ssh-wire.js';

/**
 * A program on another machine whose few bytes pass through this process, over the kept connection: one of the ssh program's own costs
 * either side more than some megabytes do.
 */

type Carried = Omit<Wired, 'wire'> & { signal: AbortSignal | undefined };

/** At once, as its neighbours are; the channel follows. */
export function startCarried(
  { machine, wrapped, isLast, onLockWait, signal }: Carried,
  output: Output,
  input: Readable | undefined,
): Part {
  const { name } = machine.target();
  const { command, mark, sudo } = wrapped;
  const reads = readsWire(wrapped.wire);
  const text = wrap(wrapped);
  const voice = new Voice(name, mark, onLockWait);
  // For the program after this one; it closes it when it reads no more.
  const stdout = isLast || reads ? undefined : new PassThrough();
  // Of a program here: it may be over before the channel is open, and what nobody has taken by then Node reads and throws away.
  const held = reads && input ? input.pipe(new PassThrough()) : undefined;
  input?.once('close', () => held?.end());
  const given = givenUp();
  // A stream that is broken off has its say in how the programs end.
  for (const stream of [input, stdout]) stream?.on('error', () => undefined);
  const carry = async (): Promise<Ended> => {
    try {
      const { channel, release } = await machine.pool.open(reads ? asArgument(text) : 'exec sh', { signal });
      const ended = endOf(channel).finally(release);
      given.close = () => channel.close();
      output.readStderr(channel.stderr as Readable, voice.hear);
      if (isLast) output.readStdout(channel);
      else if (stdout) closeUnread(channel.pipe(stdout), channel);
      else channel.resume();
      if (held) held.pipe(channel);
      else channel.end(reads ? undefined : text);
      const end = endOrUnread(voice, await Promise.race([ended, given.ended]), stdout);
      return judgeEnd(end, voice, { name, file: command.file, output });
    } finally {
      // Whoever writes to it must not wait for a reader, and whoever reads from it not for more.
      input?.destroy();
      held?.destroy();
      stdout?.end();
    }
  };
  return {
    stdout,
    keepsInput: true,
    ended: carry(),
    stop: async (how) => {
      await stopGroup(machine, voice, how, sudo);
      // As with the ssh program: of what sudo has started only the pipe is ours.
      if (how === 'SIGKILL' || sudo) given.up();
    },
  };
}

/** A writer ends by its broken pipe. */
function closeUnread(reader: PassThrough, channel: ClientChannel): void {
  reader.once('close', () => {
    if (channel.readableEnded) return;
    channel.close();
    // A channel ends only when somebody has read what it holds.
    channel.resume();
  });
}

/** The wrapper's own word counts; when nobody reads any more, it has no way here. */
function endOrUnread(
  voice: Voice,
  end: Ended | undefined,
  stdout: PassThrough | undefined,
): Ended | undefined {
  const isUnread = voice.exit === undefined && stdout?.destroyed === true && !stdout.readableEnded;
  return isUnread ? { exitCode: undefined, signal: 'SIGPIPE' } : (endIn(voice) ?? end);
}

/** A machine that is gone does not say that a channel is closed: it is not waited for. */
function givenUp(): { ended: Promise<undefined>; up(): void; close: () => void } {
  let resolve = (_: undefined): void => undefined;
  const ended = new Promise<undefined>((is) => {
    resolve = is;
  });
  const given = {
    ended,
    close: (): void => undefined,
    up(): void {
      given.close();
      resolve(undefined);
    },
  };
  return given;
}
