import { quote } from './ssh-script.js';
import type { SshTarget } from './ssh-target.js';

/** What the ssh program is told: everything by ourselves, so that nobody's ssh_config changes where our bytes go. Pure. */

/** In option values % begins a token, and a path may hold blanks. */
const pathOption = (path: string): string => `"${path.replaceAll('%', '%%')}"`;

const settings = (target: SshTarget): string[] => [
  ...['-F', '/dev/null', '-T'],
  ...options({
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: pathOption(target.knownHostsFile),
    GlobalKnownHostsFile: '/dev/null',
    UpdateHostKeys: 'no',
    CheckHostIP: 'no',
    IdentityFile: pathOption(target.keyFile),
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    PreferredAuthentications: 'publickey',
    ConnectTimeout: '90',
    ServerAliveInterval: '15',
    ServerAliveCountMax: '4',
    EscapeChar: 'none',
    ForwardAgent: 'no',
    ForwardX11: 'no',
    Compression: 'no',
    LogLevel: 'ERROR',
    Port: String(target.port),
    User: target.user,
  }),
];

const options = (all: Record<string, string>): string[] =>
  Object.entries(all).flatMap(([name, value]) => ['-o', `${name}=${value}`]);

/** The machine on the way is reached by an ssh of its own, with settings of its own. The text goes through a shell, and through % first. */
function throughJump({ jump }: SshTarget): string[] {
  if (!jump) return [];
  const words = ['ssh', ...sshSettings(jump), '-W'].map((word) => quote(word.replaceAll('%', '%%')));
  return ['-o', `ProxyCommand=${words.join(' ')} '[%h]:%p' ${quote(jump.address.replaceAll('%', '%%'))}`];
}

/** A service's user has a login shell that refuses: what ssh starts to go over another machine needs a real one. */
export const sshEnvironment = { SHELL: '/bin/sh' } as const;

/** Without the address and the command. */
export const sshSettings = (target: SshTarget): string[] => [...settings(target), ...throughJump(target)];

/** Starts the kept connection behind `socket`, in the background; it ends by itself when nobody has used it for a while. "auto" clears away a socket that a killed one has left. */
export const masterArguments = (target: SshTarget, socket: string): string[] => [
  ...sshSettings(target),
  ...options({ ControlMaster: 'auto', ControlPath: pathOption(socket), ControlPersist: '120' }),
  ...['-f', '-N', '--', target.address],
];

/** One command over the kept connection, or, should that be gone, over one of its own. */
export const wireArguments = (target: SshTarget, socket: string, command: string): string[] => [
  ...sshSettings(target),
  ...options({ ControlMaster: 'no', ControlPath: pathOption(socket) }),
  ...['--', target.address, command],
];

/** Whether the kept connection is there. */
export const checkArguments = (target: SshTarget, socket: string): string[] => [
  ...['-F', '/dev/null', '-o', `ControlPath=${pathOption(socket)}`, '-O', 'check', '--', target.address],
];
