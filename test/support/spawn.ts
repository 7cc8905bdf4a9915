import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

export { freePort } from '../../system/free-port.js';

let setpriv: boolean | undefined;

/** util-linux' setpriv asks the kernel to end the child with us: then even a SIGKILL of a test leaves no server behind. */
function hasSetpriv(): boolean {
  setpriv ??= spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;
  return setpriv;
}

/** A child that never outlives this process, however this process ends. The pid is the program's own. */
export function spawnTied(file: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const child = hasSetpriv()
    ? spawn('setpriv', ['--pdeathsig', 'KILL', '--', file, ...args], options)
    : spawn(file, args, options);
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  // Without a listener a program that is missing would throw in the middle of nowhere.
  child.on('error', () => undefined);
  return child;
}

export const hasEnded = (child: ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

/** Sends the signal and waits until the process is really gone. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(force);
}

/** Whether somebody listens there. */
export const portIsOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** A server that a test ends and starts again as it was. */
export interface Restartable {
  /** Changes with `restart`. */
  readonly pid: number;
  stop(): Promise<void>;
  /** SIGKILL, as a power cut would. */
  kill9(): Promise<void>;
  /** Again as before, after stop or kill9 (or stops it first). */
  restart(): Promise<void>;
}

/** `start` answers when the server does. */
export async function startRestartable(start: () => Promise<ChildProcess>): Promise<Restartable> {
  let child = await start();
  return {
    get pid() {
      return child.pid ?? -1;
    },
    stop: () => endChild(child),
    kill9: () => endChild(child, 'SIGKILL'),
    async restart() {
      await endChild(child);
      child = await start();
    },
  };
}
