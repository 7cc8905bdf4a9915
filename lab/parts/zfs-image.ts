import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { repositoryRoot } from '../../test/support/root.js';
import { onPath } from '../places.js';
import { announce, attempt, buildFolder, type Part, sh } from '../shell.js';
import { saveGuests } from '../zfs/first-boot.js';
import { findImage, guestNames, type Image, imageFolder, imageIn } from '../zfs/guests.js';
import { withLock } from '../zfs/lock.js';
import { debian13, mirror } from './debian13.js';

/** Tools that the guests have as a TrueNAS or a Debian host would; nothing of ours. */
const tools = ['sudo', 'rsync', 'restic', 'mbuffer', 'zstd', 'pv'];
const kernel = ['linux-image-cloud-amd64', 'linux-headers-cloud-amd64'];

/** The image of the two ZFS hosts: Debian 13 with OpenZFS, and their running states. Built once, without anything of ours in it. */
export const ensureZfsImage = (): Promise<Part> =>
  attempt(async () => {
    const reason = findImage() ? undefined : whyNotHere();
    if (reason) return { missing: reason };
    mkdirSync(dirname(imageFolder), { recursive: true });
    // Longer than any build takes: whoever comes second finds it done.
    await withLock(join(dirname(imageFolder), 'image.lock'), 60 * 60, async () => {
      if (findImage() === undefined) await build();
    });
    return findImage() ? { path: imageFolder } : { missing: 'another setup builds the image for an hour' };
  });

function whyNotHere(): string | undefined {
  if (process.getuid?.() !== 0) return 'an image of ZFS hosts is built as root';
  if (process.arch !== 'x64') return 'the ZFS hosts are x86-64 machines';
  const programs = ['debootstrap', 'qemu-system-x86_64', 'qemu-img', 'mke2fs', 'ssh-keygen', 'unshare'];
  const absent = programs.filter((name) => onPath(name) === undefined);
  return absent.length > 0 ? `no ${absent.join(', ')} here` : undefined;
}

async function build(): Promise<void> {
  removeUnfinished();
  announce('building the image of the ZFS hosts din and grogu (10 to 20 minutes on two cores, once)');
  await buildFolder(imageFolder, async (folder) => {
    const image = imageIn(folder);
    const root = join(folder, 'root');
    await installDebian(root);
    const version = await installZfs(root);
    await configure(root, image);
    renameSync(join(root, 'boot', `vmlinuz-${version}`), image.kernel);
    renameSync(join(root, 'boot', `initrd.img-${version}`), image.initrd);
    await pack(root, image);
    await saveGuests(image);
  });
}

/** What a build that was killed left, a gigabyte each; the lock says that none runs now. */
function removeUnfinished(): void {
  const parent = dirname(imageFolder);
  const names = readdirSync(parent).filter((name) => name.startsWith(`${basename(imageFolder)}.new-`));
  for (const name of names) rmSync(join(parent, name), { recursive: true, force: true });
}

/** In a mount namespace of its own, so that /proc is gone with the command, however that ends. */
const inside = (root: string, ...command: string[]): Promise<string> =>
  sh(
    'unshare',
    [
      ...['--mount', 'sh', '-c', 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'],
      ...[root, 'env', 'HOME=/root', 'LC_ALL=C', ...command],
    ],
    { timeoutMs: 40 * 60_000 },
  );

const install = (root: string, names: readonly string[]): Promise<string> =>
  inside(root, 'apt-get', 'install', '-y', '--no-install-recommends', ...names);

async function installDebian(root: string): Promise<void> {
  const include = ['openssh-server', 'iproute2', 'kmod', 'ca-certificates', ...tools].join(',');
  const options = [`--include=${include}`, '--variant=minbase', '--components=main,contrib'];
  announce('  Debian 13 and its packages');
  await sh('debootstrap', [
    ...options,
    `--keyring=${debian13.keyring}`,
    debian13.suite,
    root,
    await mirror(),
  ]);
  writeFileSync(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
}

/** Answers the version of the kernel that OpenZFS was built for. */
async function installZfs(root: string): Promise<string> {
  await install(root, kernel);
  announce('  OpenZFS, compiled for its kernel: the long part');
  await install(root, ['zfs-dkms', 'zfsutils-linux']);
  const [version] = readdirSync(join(root, 'lib/modules'));
  if (version === undefined) throw new Error('the packages brought no kernel');
  // Under emulation each second of unpacking counts, at every boot.
  await inside(root, 'sh', '-c', `unxz /lib/modules/${version}/updates/dkms/*.ko.xz && depmod ${version}`);
  writeFileSync(join(root, 'etc/initramfs-tools/conf.d/lab'), 'MODULES=list\n');
  writeFileSync(join(root, 'etc/initramfs-tools/modules'), 'virtio_pci\nvirtio_blk\next4\n');
  await inside(root, 'update-initramfs', '-u', '-k', version);
  return version;
}

async function configure(root: string, image: Image): Promise<void> {
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode });
  };
  mkdirSync(join(root, 'pools'));
  copyFileSync(join(repositoryRoot, 'lab/zfs/guest-init'), join(root, 'sbin/lab-init'));
  chmodSync(join(root, 'sbin/lab-init'), 0o755);
  write('etc/hosts', `127.0.0.1 localhost ${guestNames.join(' ')}\n`);
  write('etc/motd', '');
  // A quarter of a gigabyte, or the cache and the tests fight for the guest's memory.
  write('etc/modprobe.d/lab.conf', `options zfs zfs_arc_max=${256 * 2 ** 20}\n`);
  await makeHostKeys(root, image);
  await inside(root, 'useradd', '--create-home', '--shell', '/bin/bash', 'holdfast');
  write('etc/sudoers.d/holdfast', 'holdfast ALL=(root) NOPASSWD: /usr/sbin/zfs\n', 0o440);
  await sh('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'holdfast lab', '-f', image.key]);
  for (const home of ['root', 'home/holdfast']) {
    write(`${home}/.ssh/authorized_keys`, readFileSync(`${image.key}.pub`, 'utf8'), 0o600);
    // So that a guest can push to the other one.
    write(`${home}/.ssh/id_ed25519`, readFileSync(image.key, 'utf8'), 0o600);
    write(`${home}/.hushlogin`, '');
  }
  await inside(root, 'chown', '-R', 'holdfast:holdfast', '/home/holdfast');
}

async function makeHostKeys(root: string, image: Image): Promise<void> {
  for (const old of readdirSync(join(root, 'etc/ssh')))
    if (old.startsWith('ssh_host_')) rmSync(join(root, 'etc/ssh', old));
  let lines = '';
  for (const name of guestNames) {
    const folder = join(root, 'etc/lab', name);
    mkdirSync(folder, { recursive: true });
    for (const type of ['ed25519', 'ecdsa']) {
      const file = join(folder, `ssh_host_${type}_key`);
      await sh('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', name, '-f', file]);
      const [kind, key] = readFileSync(`${file}.pub`, 'utf8').split(' ');
      lines += `${name} ${kind} ${key}\n`;
    }
  }
  writeFileSync(image.hostKeys, lines);
  copyFileSync(image.hostKeys, join(root, 'etc/ssh/ssh_known_hosts'));
}

/** What is not needed to run it is left out; the compiler among it: nothing is compiled in a guest. */
const leftOut = [
  ...['usr/sbin/policy-rc.d', 'var/cache/apt/archives', 'var/lib/apt/lists', 'var/lib/dkms'],
  ...['usr/src', 'usr/include', 'usr/lib/gcc', 'usr/libexec/gcc', 'usr/share/doc', 'usr/share/man'],
  'usr/share/locale',
];

async function pack(root: string, image: Image): Promise<void> {
  for (const path of leftOut) rmSync(join(root, path), { recursive: true, force: true });
  // Few inodes, all written now: an ext4 that initialises itself later keeps the guest's only processor busy.
  const format = ['-t', 'ext4', '-m', '0', '-i', '65536', '-E', 'lazy_itable_init=0'];
  await sh('mke2fs', ['-q', ...format, '-d', root, image.base, '12G']);
  rmSync(root, { recursive: true, force: true });
}
