import type { Readable } from 'node:stream';
import { HoldfastError } from '../contracts/errors.js';
import type { Output } from './output.js';
import type { Ended, Part } from './parts.js';
import { startProcess } from './run.js';
import { sshEnvironment } from './ssh-arguments.js';
import type { SshMachine } from './ssh-machine.js';
import { judgeEnd, stopGroup, Voice } from './ssh-run.js';
import { asArgument, type Wrapped, wrap } from './ssh-script.js';
import type { Wire } from './ssh-wire-connections.js';

/** A program on another machine whose bytes the ssh program carries: from a child of ours, to one, or both. */

export interface Wired {
  machine: SshMachine;
  wrapped: Wrapped;
  wire: Wire;
  isLast: boolean;
  onLockWait: (() => void) | undefined;
}

/** 128 and the number of SIGPIPE: ssh itself never ends so. */
const brokenPipe = 141;

/** What a shell says of a child that a signal ended; other codes above 128 are a tool's own. */
const signals: Readonly<Record<number, string>> = {
  129: 'SIGHUP',
  137: 'SIGKILL',
  141: 'SIGPIPE',
  143: 'SIGTERM',
};

/** Connections for one program, made before anything is started. The control connection comes first: it finds what is wrong with keys, and it is what a stop goes over. */
export async function wireFor(machine: SshMachine, wrapped: Wrapped, isSmall = false): Promise<Wire> {
  refuseSecrets(machine, wrapped);
  await machine.pool.ready();
  return machine.wires.take(isSmall);
}

/** What reads from the wire is told what to do by an argument. */
export function refuseSecrets(
  machine: SshMachine,
  { wire, command }: Pick<Wrapped, 'wire' | 'command'>,
): void {
  if (readsWire(wire) && Object.keys(command.env ?? {}).length > 0)
    throw new HoldfastError(
      'HF_INTERNAL',
      `${command.file} reads from the wire: its environment would be seen on "${machine.target().name}"`,
    );
}

export const readsWire = (wire: Wrapped['wire']): boolean => wire === 'in' || wire === 'through';

/** At once, because the neighbours' pipes wait for it. */
export function startWire(
  { machine, wrapped, wire: { file, args }, isLast, onLockWait }: Wired,
  output: Output,
  input: Readable | undefined,
): Part {
  const { name } = machine.target();
  const { wire, command, mark, sudo } = wrapped;
  const reads = readsWire(wire);
  const voice = new Voice(name, mark, onLockWait);
  const text = wrap(wrapped);
  const ssh = { file, env: sshEnvironment, args: args(reads ? asArgument(text) : 'exec sh') };
  const part = startProcess(ssh, reads ? (input ?? 'ignore') : 'pipe', output, isLast, voice.hear);
  if (!reads) {
    // It may be gone before it has read all: its end says why.
    part.child.stdin?.on('error', () => undefined);
    part.child.stdin?.end(text);
  }
  return {
    stdout: part.stdout,
    ended: part.ended.then((end) => {
      // When nobody reads any more, the server closes standard error too: the wrapper's last word has no way here.
      const isUnread = voice.exit === undefined && end.exitCode === brokenPipe;
      const known = isUnread ? { exitCode: undefined, signal: 'SIGPIPE' } : endIn(voice);
      return judgeEnd(known, voice, { name, file: command.file, output });
    }),
    stop: async (signal) => {
      await stopGroup(machine, voice, signal, sudo);
      // The program there has its time to end well, and its last words come through ssh. Of what sudo has started only the pipe is ours.
      if (signal === 'SIGKILL' || sudo) await part.stop(signal);
    },
  };
}

/** ssh ends with 255 when the connection is lost, and also when the program did: only the wrapper's word counts. */
export function endIn({ exit, failure }: Voice): Ended | undefined {
  if (exit === undefined) return failure && { exitCode: 1, signal: undefined };
  const signal = signals[exit];
  return { exitCode: signal === undefined ? exit : undefined, signal };
}
