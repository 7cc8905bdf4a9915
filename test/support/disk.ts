import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeRemoval, temporaryFolder } from './temp.js';

export interface SmallDisk {
  /** Where it is mounted. */
  folder: string;
  unmount(): void;
  /** The same disk with what it held, as after plugging it in again. */
  mount(): void;
  /** Another disk in its place: empty, and with an identity of its own. */
  renew(): void;
}

/** An ext4 file system of its own on a loop device: for full disks, missing disks and mount points. Needs root and `needs('mount')`. */
export function mountSmallDisk(bytes: number): SmallDisk {
  const base = temporaryFolder('disk');
  const folder = join(base, 'disk');
  const image = join(base, 'image');
  mkdirSync(folder);
  const format = () => {
    writeFileSync(image, '');
    truncateSync(image, bytes);
    execFileSync('mkfs.ext4', ['-q', '-m', '0', image]);
  };
  let mounted = false;
  const unmount = () => {
    if (mounted) execFileSync('umount', ['--lazy', folder]);
    mounted = false;
  };
  const mount = () => {
    if (!mounted) execFileSync('mount', ['-o', 'loop', image, folder]);
    mounted = true;
  };
  const renew = () => {
    unmount();
    rmSync(image);
    format();
    mount();
  };
  format();
  mount();
  rmSync(join(folder, 'lost+found'), { recursive: true });
  beforeRemoval(unmount);
  return { folder, unmount, mount, renew };
}

let answer: boolean | undefined;

/** Containers have root but no mounts; asking the kernel is the only way to know. */
export function canMount(): boolean {
  answer ??=
    process.getuid?.() === 0 &&
    spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
  return answer;
}
