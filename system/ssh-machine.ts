import type { Duplex } from 'node:stream';
import { SshPool } from './ssh-pool.js';
import type { SshTarget } from './ssh-target.js';
import { WireConnections } from './ssh-wire-connections.js';

/** One machine that is reached over ssh: connections for commands, connections for bulk data. */
export interface SshMachine {
  target(): SshTarget;
  pool: SshPool;
  wires: WireConnections;
  close(): void;
}

/** `controlFolder` takes the sockets of the ssh program. The settings are asked for anew at each connection. */
export function sshMachine(target: () => SshTarget, controlFolder: string): SshMachine {
  let jump: SshPool | undefined;
  const roadTo = (wanted: SshTarget): Promise<Duplex> => {
    jump ??= poolOf(() => target().jump ?? wanted);
    return jump.forward(wanted);
  };
  const pool = new SshPool(target, roadTo);
  return {
    target,
    pool,
    wires: new WireConnections(target, controlFolder),
    close() {
      pool.close();
      jump?.close();
    },
  };
}

/** A machine on the way may itself lie behind another. */
function poolOf(target: () => SshTarget): SshPool {
  let above: SshPool | undefined;
  return new SshPool(target, (wanted) => {
    above ??= poolOf(() => target().jump ?? wanted);
    return above.forward(wanted);
  });
}
