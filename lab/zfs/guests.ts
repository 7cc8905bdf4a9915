import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../places.js';

/** The two hosts of the lab, and the pools that they have before a test touches them. */
export const guestNames = ['din', 'grogu'] as const;
export type GuestName = (typeof guestNames)[number];

export const pools: Record<GuestName, readonly string[]> = { din: ['fast', 'bulk'], grogu: ['backup'] };

/** Who may log in: root, and one who may do nothing as root but `sudo zfs`. */
export type GuestUser = 'root' | 'holdfast';

/** Everything that is made once and then only read. */
export interface Image {
  folder: string;
  kernel: string;
  initrd: string;
  /** The root file system; the disks of guests hold only what differs from it. */
  base: string;
  /** The private key that both users of both guests accept. */
  key: string;
  /** Lines "NAME TYPE KEY": what each guest proves to be. */
  hostKeys: string;
  /** "kvm" or "tcg": what the image was seen to boot with. */
  accelerator: string;
}

/** Must change with what an image holds: then it is built anew, beside older ones. */
const imageVersion = '1';

export const imageFolder = cached('zfs-lab', `image-${imageVersion}`);

export const imageIn = (folder: string): Image => ({
  folder,
  kernel: join(folder, 'vmlinuz'),
  initrd: join(folder, 'initrd'),
  base: join(folder, 'base.img'),
  key: join(folder, 'key'),
  hostKeys: join(folder, 'host-keys'),
  accelerator: join(folder, 'accelerator'),
});

export const diskIn = (folder: string, name: GuestName): string => join(folder, `${name}.qcow2`);

/**
 * How the state of the running guest, with its empty pools, is called inside the disks that lie beside the image: to continue from there
 * takes a second, to boot half a minute.
 */
export const savedState = 'ready';

/** The finished image of this machine. */
export const findImage = (): Image | undefined =>
  existsSync(imageFolder) ? imageIn(imageFolder) : undefined;

/** For ssh: guests are reached through ports of this machine, or by their names as HostKeyAlias. */
export function knownHostsText(image: Image, ports: Readonly<Record<GuestName, number>>): string {
  const lines = readFileSync(image.hostKeys, 'utf8').trim().split('\n');
  const known = lines.map((line) => {
    const [name = '', ...key] = line.split(' ');
    return `[127.0.0.1]:${ports[name as GuestName]},${name} ${key.join(' ')}\n`;
  });
  return known.join('');
}
