import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where a machine is reached and how we prove who we are: all that ssh2 and the ssh program are told, and no ssh_config besides. */
export interface SshTarget {
  /** The host's name in holdfast.yaml, for messages. */
  name: string;
  address: string;
  port: number;
  user: string;
  /** Private key without a passphrase. */
  keyFile: string;
  knownHostsFile: string;
  /** The machine to go through. */
  jump?: SshTarget | undefined;
  /** Programs that are started with `sudo -n`, by their names without a folder. */
  sudo: readonly string[];
  /** Our own folder there: locks, restic's cache, unfinished restores. */
  folder: string;
}

/** What ssh itself would take first; the worker's user has to have it. */
export const defaultKeyFile = (): string => join(homedir(), '.ssh', 'id_ed25519');

export const defaultKnownHostsFile = (): string => join(homedir(), '.ssh', 'known_hosts');

/** A folder that the user can make by himself: root's own place, else one that outlives a reboot and needs no home folder. */
export const defaultFolder = (user: string): string =>
  user === 'root' ? '/var/lib/holdfast' : `/var/tmp/holdfast-${user}`;

/** As known_hosts and messages write it. */
export const placeOf = ({ address, port }: Pick<SshTarget, 'address' | 'port'>): string =>
  port === 22 ? address : `[${address}]:${port}`;
