import { join } from 'node:path';
import type { Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';
import { sshHost } from '../../system/ssh-host.js';
import { sshMachine } from '../../system/ssh-machine.js';
import type { LabHost } from './lab-host.js';
import { temporaryFolder } from './temp.js';

const closing: (() => void)[] = [];

/** A lab host as our own code reaches it: over ssh2 and the ssh program, as root or as a user with sudo for zfs. */
export function ownHost(lab: LabHost, user: 'root' | 'holdfast' = 'root'): Host {
  const folder = temporaryFolder('own');
  const target = {
    name: lab.name,
    address: lab.host,
    port: lab.port,
    user,
    keyFile: lab.key,
    knownHostsFile: lab.knownHosts,
    sudo: user === 'root' ? [] : ['zfs'],
    folder: `/var/tmp/holdfast-test-${user}`,
  };
  const machine = sshMachine(() => target, join(folder, 'c'));
  closing.push(() => machine.close());
  const driver = localHost({ name: 'here', stateFolder: join(folder, 'here') });
  return sshHost({ name: lab.name, machine, driver });
}

/** At the end of a test file: open connections would keep its process alive. */
export function closeOwnHosts(): void {
  for (const close of closing.splice(0)) close();
}
