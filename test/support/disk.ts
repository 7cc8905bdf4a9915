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

/**
 * A loop device with one partition of itself: what looks for the disk behind a file system finds one. The partition is told to the kernel by
 * hand, because not every kernel reads partition tables.
 */
function attachPartition(image: string, bytes: number): string {
  const device = execFileSync('losetup', ['--find', '--show', image], { encoding: 'utf8' }).trim();
  // One of a test that was killed.
  forgetPartition(device);
  execFileSync('addpart', [device, '1', '2048', `${bytes / 512 - 2048}`]);
  return device;
}

const forgetPartition = (device: string): void =>
  void spawnSync('delpart', [device, '1'], { stdio: 'ignore' });

/** An ext4 file system of its own on a loop device, or on a partition of one: for full disks, missing disks and mount points. Needs root and `needs('mount')`. */
export function mountSmallDisk(bytes: number, { partition = false } = {}): SmallDisk {
  const base = temporaryFolder('disk');
  const folder = join(base, 'disk');
  const image = join(base, 'image');
  mkdirSync(folder);
  const format = () => {
    writeFileSync(image, '');
    truncateSync(image, bytes);
    if (partition) device = attachPartition(image, bytes);
    execFileSync('mkfs.ext4', ['-q', '-m', '0', device === undefined ? image : `${device}p1`]);
  };
  let device: string | undefined;
  let mounted = false;
  const unmount = () => {
    if (mounted) execFileSync('umount', ['--lazy', folder]);
    mounted = false;
    if (device !== undefined) forgetPartition(device);
    device = undefined;
  };
  const mount = () => {
    if (partition) device ??= attachPartition(image, bytes);
    const args = device === undefined ? ['-o', 'loop', image] : [`${device}p1`];
    if (!mounted) execFileSync('mount', [...args, folder]);
    mounted = true;
    // In use, it goes by itself with its last user: also when this test is killed.
    if (device !== undefined) spawnSync('losetup', ['--detach', device]);
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
