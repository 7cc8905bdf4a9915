import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { HoldfastError } from '../contracts/errors.js';
import { missingProgram } from './environment.js';
import type { Command, RunOptions } from './host.js';
import type { Output } from './output.js';
import type { Ended, Part } from './parts.js';
import { lockIsTaken } from './run.js';
import { unreachable } from './ssh-connect.js';
import type { SshMachine } from './ssh-machine.js';
import { stopScript, type Wrapped, wrap } from './ssh-script.js';

/** One program on a machine over ssh: started by one command on a kept connection, stopped by its process group over another channel. */

/** A grandchild may keep the channel open for ever; what the program wrote has arrived long before. */
const drainAfterExitMs = 5_000;

export type Place = Pick<Wrapped, 'input' | 'output'>;

export const newMark = (): string => `holdfast-${randomBytes(12).toString('hex')}`;

/** Everything but how its bytes travel. */
export function wrappedOn(
  machine: SshMachine,
  command: Command,
  { lock, lockTaken, pidFile }: RunOptions,
): Wrapped {
  const target = machine.target();
  const { folder } = target;
  const sudo = target.sudo.includes(basename(command.file));
  return { command, mark: newMark(), sudo, folder, lock, lockTaken, pidFile };
}

/** What our wrapper says on standard error, line by line. */
export class Voice {
  pid: number | undefined;
  /** The program itself has begun. */
  started = false;
  exit: number | undefined;
  failure: HoldfastError | undefined;
  private whenKnown: ((pid: number) => void)[] = [];

  constructor(
    private readonly host: string,
    private readonly mark: string,
    private readonly onLockWait: (() => void) | undefined,
  ) {}

  /** Whether the line was ours. Before the first of ours, all lines are a login script's. */
  readonly hear = (line: string): boolean => {
    if (!line.startsWith(`${this.mark} `)) return this.pid === undefined;
    const [, word = '', ...rest] = line.split(' ');
    if (word === 'pid') this.know(Number(rest[0]));
    if (word === 'go') this.started = true;
    if (word === 'exit') this.exit = Number(rest[0]);
    if (word === 'waiting') this.onLockWait?.();
    if (word === 'taken') this.failure = lockIsTaken();
    if (word === 'missing') this.failure = missingProgram(rest.join(' '), this.host);
    if (word === 'foreign')
      this.failure = new HoldfastError(
        'HF_CONFIG_INVALID',
        `Our folder ${rest.join(' ')} on "${this.host}" belongs to somebody else: name another with hosts.${this.host}.ssh.folder`,
      );
    if (word === 'nogroup')
      this.failure = new HoldfastError(
        'HF_TOOL_MISSING',
        `The ssh server of "${this.host}" gives commands no process group of their own: we could not stop what we start`,
      );
    return true;
  };

  /** At once, or as soon as it is known. */
  withPid(use: (pid: number) => void): void {
    if (this.pid !== undefined) use(this.pid);
    else this.whenKnown.push(use);
  }

  private know(pid: number): void {
    this.pid = pid;
    for (const use of this.whenKnown.splice(0)) use(pid);
  }
}

/** A program whose bytes do not pass through us, but for what it prints to be read. */
export async function startRemote(
  machine: SshMachine,
  wrapped: Wrapped,
  output: Output,
  { signal, onLockWait }: RunOptions,
): Promise<Part> {
  return startText(machine, wrap(wrapped), wrapped, output, { signal, onLockWait });
}

/** The same for a text of our own. */
export async function startText(
  machine: SshMachine,
  text: string,
  { mark, sudo, command }: Pick<Wrapped, 'mark' | 'sudo' | 'command'>,
  output: Output,
  { signal, onLockWait }: RunOptions,
): Promise<Part> {
  const { channel, release } = await machine.pool.open('exec sh', { signal });
  const { name } = machine.target();
  const voice = new Voice(name, mark, onLockWait);
  output.readStdout(channel, `${mark} go\n`);
  output.readStderr(channel.stderr as Readable, voice.hear);
  const ended = endOf(channel).finally(release);
  channel.end(text);
  return {
    ended: ended.then((end) => judgeEnd(end, voice, { name, file: command.file, output })),
    stop: (signalName) => stopGroup(machine, voice, signalName, sudo),
  };
}

/** undefined when the channel was closed without a word on how the program ended: the connection was lost. */
export async function endOf(channel: ClientChannel): Promise<Ended | undefined> {
  let drain: NodeJS.Timeout | undefined;
  channel.once('exit', () => {
    drain = setTimeout(() => setImmediate(() => channel.destroy()), drainAfterExitMs);
  });
  channel.on('error', () => undefined);
  const errorsRead = new Promise((resolve) => channel.stderr.once('close', resolve));
  const end = await new Promise<Ended | undefined>((resolve) => {
    channel.once('close', (code?: number | null, signal?: string) =>
      resolve(
        code === undefined
          ? undefined
          : { exitCode: code ?? undefined, signal: code === null ? signal : undefined },
      ),
    );
  });
  clearTimeout(drain);
  await errorsRead;
  return end;
}

interface About {
  name: string;
  file: string;
  output: Output;
}

/** What came of it, or why nothing is known. */
export function judgeEnd(end: Ended | undefined, voice: Voice, { name, file, output }: About): Ended {
  if (voice.failure) throw voice.failure;
  if (end === undefined)
    throw unreachable(
      name,
      voice.started
        ? `the connection was lost while ${basename(file)} was running there; it may go on, and keeps its lock`
        : `the connection was lost before ${basename(file)} was started`,
    );
  const { stderrTail } = output.result();
  if (!voice.started) throw notStarted(name, file, voice.pid === undefined, stderrTail);
  if (end.exitCode === 1 && /^sudo: /m.test(stderrTail))
    throw new HoldfastError(
      'HF_SSH_DENIED',
      `sudo on "${name}" does not let us run ${basename(file)} without a password: ${stderrTail.trim()}`.slice(
        0,
        300,
      ),
    );
  return end;
}

function notStarted(name: string, file: string, noShell: boolean, stderrTail: string): HoldfastError {
  const why = stderrTail.trim().slice(-150);
  if (/No space left|Disk quota/.test(why))
    return new HoldfastError('HF_NO_SPACE', `No space left on "${name}": ${why}`);
  const what = noShell
    ? 'its user has no shell that runs commands'
    : `${basename(file)} could not be started`;
  return new HoldfastError('HF_TOOL_FAILED', `On "${name}" ${what}${why ? `: ${why}` : ''}`.slice(0, 300));
}

/** Who cannot be reached is not waited for: nothing more can be done from here. */
const stopWithinMs = 15_000;

/** Over a channel of its own: closing the one that it runs on would not stop it. */
export function stopGroup(machine: SshMachine, voice: Voice, signal: string, sudo: boolean): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(resolve, stopWithinMs);
    const done = (): void => {
      clearTimeout(limit);
      resolve();
    };
    voice.withPid(
      (pid) => void sendText(machine, stopScript(pid, signal, sudo && voice.started)).then(done, done),
    );
    if (signal === 'SIGKILL' && voice.pid === undefined) done();
  });
}

async function sendText(machine: SshMachine, text: string): Promise<void> {
  const { channel, release } = await machine.pool.open('exec sh', { urgent: true });
  const ended = endOf(channel).finally(release);
  channel.resume();
  channel.stderr.resume();
  channel.end(text);
  await ended;
}
