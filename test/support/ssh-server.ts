import { type ChildProcess, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { SshTarget } from '../../system/ssh-target.js';
import { endChild, freePort, hasEnded, spawnTied } from './spawn.js';
import { temporaryFolder } from './temp.js';
import { waitFor } from './wait.js';

/** A real OpenSSH server on loopback with keys of its own: the machine "over there" is this one. */
export interface SshServer {
  port: number;
  folder: string;
  /** Ready to use: the server's key is known, ours is accepted. */
  target: SshTarget;
  /** The line of known_hosts for this server. */
  knownLine: string;
  /** Cuts all connections, as a network does; what runs there goes on. */
  cut(): void;
  /** Another host key, as after a new installation. */
  changeKey(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface SshServerOptions {
  name?: string;
  /** Lines for sshd_config. */
  settings?: string[];
}

const portAnswers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => resolve(true)).once('error', () => resolve(false));
    socket.once('data', () => socket.destroy());
  });

const makeKey = (file: string): void =>
  void execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });

export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const folder = temporaryFolder('ssh');
  const port = await freePort();
  const file = (name: string): string => join(folder, name);
  makeKey(file('host key'));
  makeKey(file('our key'));
  writeFileSync(file('authorized'), readFileSync(file('our key.pub')));
  chmodSync(file('authorized'), 0o600);
  // sshd of a root user wants it, and a machine without an ssh service has none.
  if (process.getuid?.() === 0 && !existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey "${file('host key')}"`,
    `AuthorizedKeysFile "${file('authorized')}"`,
    `PidFile ${file('pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'MaxStartups 200',
    'PrintMotd no',
    ...(options.settings ?? []),
  ];
  writeFileSync(file('config'), `${lines.join('\n')}\n`);
  let child: ChildProcess | undefined;
  const knownLine = (): string => {
    const [type, key] = readFileSync(file('host key.pub'), 'utf8').split(' ');
    return `[127.0.0.1]:${port} ${type} ${key}`;
  };
  writeFileSync(file('known hosts'), `# of a test\n${knownLine()}\n`);
  const server: SshServer = {
    port,
    folder,
    target: {
      name: options.name ?? 'din',
      address: '127.0.0.1',
      port,
      user: userInfo().username,
      keyFile: file('our key'),
      knownHostsFile: file('known hosts'),
      sudo: [],
      folder: join(folder, 'over there'),
    },
    get knownLine() {
      return knownLine();
    },
    cut: () => {
      for (const pid of childrenOf(child?.pid)) killQuietly(pid);
    },
    async changeKey() {
      await server.stop();
      execFileSync('rm', ['-f', file('host key'), file('host key.pub')]);
      makeKey(file('host key'));
      await server.start();
    },
    async stop() {
      server.cut();
      if (child) await endChild(child, 'SIGKILL');
    },
    async start() {
      child = spawnTied('/usr/sbin/sshd', ['-D', '-e', '-f', file('config')], {
        stdio: ['ignore', 'ignore', 'ignore'],
      });
      const started = child;
      await waitFor(() => hasEnded(started) || portAnswers(port), { timeoutMs: 60_000, what: 'sshd' });
      if (hasEnded(started)) throw new Error(`sshd ended at once: sshd -t -f ${file('config')}`);
    },
  };
  await server.start();
  return server;
}

/** sshd has one child for each connection, and its child again where privileges are separated: both are the connection. */
function childrenOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  const parents = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const comm = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      return [
        { pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), comm },
      ];
    } catch {
      return [];
    }
  });
  const below = (of: number): number[] =>
    parents
      .filter(({ parent, comm }) => parent === of && comm.startsWith('sshd'))
      .flatMap((entry) => [entry.pid, ...below(entry.pid)]);
  return below(pid);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
