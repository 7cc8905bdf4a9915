import { join } from 'node:path';
import { drivenBy } from '../config/lookup.js';
import type { Config } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';
import type { Host } from '../system/host.js';
import { localHost } from '../system/local-host.js';
import { sshHost } from '../system/ssh-host.js';
import { type SshMachine, sshMachine } from '../system/ssh-machine.js';
import {
  defaultFolder,
  defaultKeyFile,
  defaultKnownHostsFile,
  type SshTarget,
} from '../system/ssh-target.js';

/** From names in holdfast.yaml to machines: this one, and those that it drives over ssh. */

/** What ssh is told of a host. The file is read anew when it changes, so this is asked at each connection. */
export function targetOf({ hosts }: Config, name: string): SshTarget {
  const ssh = hosts[name]?.ssh;
  if (!ssh)
    throw new HoldfastError(
      'HF_NOT_IN_CONFIG',
      `This host's holdfast.yaml does not say how "${name}" is reached over ssh; give every host the same file`,
    );
  return {
    name,
    address: ssh.address,
    port: ssh.port,
    user: ssh.user,
    keyFile: ssh.key ?? defaultKeyFile(),
    knownHostsFile: ssh.knownHosts ?? defaultKnownHostsFile(),
    ...(ssh.jump !== undefined && { jump: targetOf({ hosts } as Config, ssh.jump) }),
    sudo: ssh.sudo,
    folder: ssh.folder ?? defaultFolder(ssh.user),
  };
}

export interface Machines {
  /** Those whose queues this worker asks, its own first. */
  all: Host[];
  /** Also one with a worker of its own, when the file says how it is reached over ssh: the other end of a transfer. */
  byName(name: string): Host;
  close(): void;
}

/** `config` is asked again and again; whose queues are asked is settled at the start. */
export function machinesOf(config: () => Config, host: string, stateFolder: string): Machines {
  const own = localHost({ name: host, stateFolder });
  const reached = new Map<string, { host: Host; machine: SshMachine }>();
  const byName = (name: string): Host => {
    if (name === host) return own;
    const known = reached.get(name);
    if (known) return known.host;
    targetOf(config(), name);
    const machine = sshMachine(() => targetOf(config(), name), join(stateFolder, 'ssh'));
    // Evidence and logs of a host without a worker lie here, each host's by themselves.
    const driver = localHost({ name: host, stateFolder: join(stateFolder, 'hosts', name) });
    const made = { host: sshHost({ name, machine, driver }), machine };
    reached.set(name, made);
    return made.host;
  };
  return {
    all: [own, ...drivenBy(config(), host).map(byName)],
    byName,
    close() {
      for (const { machine } of reached.values()) machine.close();
    },
  };
}
