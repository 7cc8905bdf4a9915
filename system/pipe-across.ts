import { randomBytes } from 'node:crypto';
import { HoldfastError } from '../contracts/errors.js';
import type { Command, Host, RunOptions, RunResult } from './host.js';
import type { Output, OutputOptions } from './output.js';
import { type Part, runTogether, type Starter } from './parts.js';
import { localStarter, prepareLocal, refuseTaken } from './run.js';
import { startCarried } from './ssh-carried.js';
import type { SshMachine } from './ssh-machine.js';
import { newMark, startRemote, startText, wrappedOn } from './ssh-run.js';
import { ownScript, type Wrapped } from './ssh-script.js';
import { refuseSecrets, startWire, wireFor } from './ssh-wire.js';
import type { Wire } from './ssh-wire-connections.js';

/**
 * Programs on several machines, joined as by a shell's "|". Neighbours on the same machine are joined there, by a pipe of its kernel; where
 * the machine changes the ssh program carries the bytes. Only few bytes pass through Node: see ssh-carried.ts.
 */

export interface Member {
  host: Host;
  command: Command;
  /** A lock on that machine, held by the program while it lives. */
  lock?: string;
}

export interface AcrossOptions
  extends Pick<
    RunOptions,
    'signal' | 'killAfterMs' | 'maxStdoutBytes' | 'bytes' | 'lockTaken' | 'onLockWait' | 'secrets' | 'log'
  > {
  /** `member` counts from 0; standard output is that of the last one. */
  onLine?: (line: string, stream: 'stdout' | 'stderr', member: number) => void;
  /** Few bytes: they take the kept connections, or share one with others, instead of waiting for one of their own. */
  isSmall?: boolean;
}

/** One result for each, in their order; a failing exit is a result. */
export async function pipeAcross(
  members: readonly Member[],
  options: AcrossOptions = {},
): Promise<RunResult[]> {
  options.signal?.throwIfAborted();
  const joined = members.map((member, at) => joinsOf(members, member, at));
  const machines = new Set(joined.flatMap(({ machine, output }) => (machine && output ? [machine] : [])));
  const means: Means = { folders: new Map(), wires: [], isCarried: isCarried(joined, options) };
  const { folders } = means;
  try {
    for (const machine of machines) folders.set(machine, await makePipes(machine, joined, options));
    const prepared = await Promise.allSettled(joined.map((join) => starterOf(join, means, options)));
    const starters = prepared.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
    const results = await runTogether(starters, options);
    joined.forEach(({ member, machine }, at) => {
      if (!machine) refuseTaken({ lock: member.lock, lockTaken: options.lockTaken }, results[at]);
    });
    return results;
  } finally {
    for (const { release } of means.wires) release();
    await Promise.all([...folders].map(([machine, folder]) => removePipes(machine, folder)));
  }
}

interface Joined {
  at: number;
  member: Member;
  machine: SshMachine | undefined;
  isLast: boolean;
  /** Names of the pipes on its own machine. */
  input: string | undefined;
  output: string | undefined;
  wire: Wrapped['wire'];
}

/** How a member hangs together with its neighbours. */
function joinsOf(members: readonly Member[], member: Member, at: number): Joined {
  const machine = member.host.remote;
  const before = members[at - 1];
  const after = members[at + 1];
  const isSame = (other: Member | undefined): boolean => other?.host.remote === machine;
  const wireIn = machine !== undefined && before !== undefined && !isSame(before);
  const wireOut = machine !== undefined && after !== undefined && !isSame(after);
  const wire = wireIn && wireOut ? 'through' : wireIn ? 'in' : wireOut ? 'out' : undefined;
  return {
    at,
    member,
    machine,
    isLast: after === undefined,
    input: machine && before && isSame(before) ? `${at - 1}` : undefined,
    output: machine && after && isSame(after) ? `${at}` : undefined,
    wire,
  };
}

/** Few bytes that go once from one machine to another, and not to this one: a program here reads from the kernel alone. */
const isCarried = (joined: readonly Joined[], { isSmall }: AcrossOptions): boolean =>
  isSmall === true &&
  joined.filter(({ machine }, at) => at > 0 && machine !== joined[at - 1]?.machine).length === 1 &&
  joined.at(-1)?.machine !== undefined;

/** What is made for one pipe, and given back after it. */
interface Means {
  folders: Map<SshMachine, string>;
  wires: Wire[];
  isCarried: boolean;
}

async function starterOf(
  join: Joined,
  { folders, wires, isCarried }: Means,
  options: AcrossOptions,
): Promise<Starter> {
  const { member, machine, at, isLast, input, output, wire } = join;
  const { onLine, maxStdoutBytes, bytes, secrets, log } = options;
  const listeners: OutputOptions = {
    secrets,
    log,
    maxStdoutBytes,
    bytes,
    ...(onLine && { onLine: (line, stream) => onLine(line, stream, at) }),
  };
  const own: RunOptions = { ...options, onLine: undefined, lock: member.lock };
  if (!machine) return localStarter(await prepareLocal(member.command, own), listeners, isLast);
  const folder = folders.get(machine) ?? '';
  const wrapped: Wrapped = {
    ...wrappedOn(machine, member.command, own),
    wire,
    input: input && `${folder}/${input}`,
    output: output && `${folder}/${output}`,
  };
  if (wire === undefined)
    return {
      command: member.command,
      listeners,
      start: (heard) => startRemote(machine, wrapped, heard, own),
    };
  if (isCarried) {
    refuseSecrets(machine, wrapped);
    await machine.pool.ready();
    const { onLockWait, signal } = options;
    const carried = { machine, wrapped, isLast, onLockWait, signal };
    return {
      command: member.command,
      listeners,
      start: (heard, input) => startCarried(carried, heard, input),
    };
  }
  const taken = await wireFor(machine, wrapped, options.isSmall);
  wires.push(taken);
  const wired = { machine, wrapped, wire: taken, isLast, onLockWait: options.onLockWait };
  return { command: member.command, listeners, start: (heard, input) => startWire(wired, heard, input) };
}

/** FIFOs in a folder of their own; a name that nobody can guess, in a folder that nobody else can write to. */
async function makePipes(
  machine: SshMachine,
  joined: readonly Joined[],
  { signal }: AcrossOptions,
): Promise<string> {
  const folder = `${machine.target().folder}/pipes/${randomBytes(8).toString('hex')}`;
  const names = joined.flatMap((join) => (join.machine === machine && join.output ? [join.output] : []));
  const { exitCode, stderrTail } = await runText(
    machine,
    'umask 077; mkdir -p -- "$1" && cd -- "$1" && shift && mkfifo -- "$@"',
    [folder, ...names],
    { signal },
  );
  if (exitCode === 0) return folder;
  throw new HoldfastError(
    'HF_TOOL_FAILED',
    `"${machine.target().name}" cannot make a pipe in ${folder}: ${stderrTail.trim()}`.slice(0, 300),
  );
}

const removePipes = (machine: SshMachine, folder: string): Promise<unknown> =>
  runText(machine, 'rm -rf -- "$1"', [folder], {}).catch(() => undefined);

async function runText(
  machine: SshMachine,
  script: string,
  args: readonly string[],
  options: RunOptions,
): Promise<Pick<RunResult, 'exitCode' | 'stderrTail'>> {
  const mark = newMark();
  const command: Command = { file: 'sh', args: [] };
  const start = (output: Output): Promise<Part> =>
    startText(machine, ownScript(mark, script, args), { mark, sudo: false, command }, output, options);
  const [result] = await runTogether([{ command, listeners: {}, start }], options);
  return result ?? { exitCode: undefined, stderrTail: '' };
}
