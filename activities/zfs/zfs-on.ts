import { HoldfastError } from '../../contracts/errors.js';
import type { Tools } from '../door.js';
import type { Zfs } from './listing.js';

/** ZFS on a machine by its name: the one that works, or one that is reached over ssh from its worker. */
export function zfsOn({ host, machine, config, signal }: Tools, name: string): Zfs {
  const { zfs = 'zfs', zpool = 'zpool' } = config.hosts[name]?.tools ?? {};
  if (name === host.name) return { host, signal, zfs, zpool };
  if (!machine) throw new HoldfastError('HF_INTERNAL', `"${name}" cannot be reached from here`);
  return { host: machine(name), signal, zfs, zpool };
}
