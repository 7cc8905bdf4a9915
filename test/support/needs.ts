import { existsSync } from 'node:fs';
import {
  clusterPath,
  onPath,
  postgresPath,
  type ResticName,
  resticPath,
  snapraidPath,
  temporalPath,
  versions,
  versitygwPath,
  webUiPath,
} from '../../lab/places.js';
import { findImage } from '../../lab/zfs/guests.js';
import { canMount } from './disk.js';

const isResticHere = (name: ResticName): boolean => resticPath(name) !== undefined;

/** What a test may ask for, and how a machine gets it. */
const offers = {
  root: () => process.getuid?.() === 0 || 'needs root: run it with sudo',
  restic: () => resticPath() !== undefined || 'needs restic: npm run setup',
  'restic-0.16': () => isResticHere('0.16') || 'needs restic 0.16, built with Go: npm run setup',
  'restic-0.17': () => isResticHere('0.17') || 'needs restic 0.17, built with Go: npm run setup',
  'restic-0.18': () => isResticHere('0.18') || 'needs restic 0.18 of Debian 13: npm run setup',
  temporal: () => temporalPath() !== undefined || 'needs a Temporal server: npm run setup',
  openssl: () => onPath('openssl') !== undefined || 'needs openssl (package openssl)',
  postgres: () =>
    postgresPath() !== undefined ||
    'needs PostgreSQL (package postgresql, which also starts a service of its own: not installed by the setup)',
  cluster: () =>
    clusterPath() !== undefined || "needs Temporal's server for a cluster, built by: npm run setup",
  'web-ui': () => webUiPath() !== undefined || "needs Temporal's Web UI by itself, built by: npm run setup",
  rclone: () =>
    onPath('rclone') !== undefined || 'needs rclone as rest: server (package rclone): npm run setup',
  mergerfs: () =>
    (onPath('mergerfs') !== undefined && existsSync('/dev/fuse') && process.getuid?.() === 0) ||
    'needs mergerfs (package mergerfs), /dev/fuse and root: npm run setup',
  sshfs: () =>
    (onPath('sshfs') !== undefined && existsSync('/dev/fuse')) ||
    'needs sshfs (package sshfs) and /dev/fuse: npm run setup',
  s3: () => versitygwPath() !== undefined || 'needs versitygw as S3 server: npm run setup',
  sshd: () =>
    (onPath('ssh') !== undefined && existsSync('/usr/sbin/sshd')) ||
    'needs OpenSSH, client and server (package openssh-server): npm run setup',
  'zfs-lab': () =>
    (findImage() !== undefined &&
      onPath('qemu-system-x86_64') !== undefined &&
      onPath('ssh') !== undefined) ||
    'needs the two ZFS hosts of the lab (QEMU and their image): npm run setup, as root',
  snapraid: () => onPath('snapraid') !== undefined || 'needs snapraid (package snapraid): npm run setup',
  smartctl: () =>
    (onPath('smartctl') !== undefined && onPath('dmsetup') !== undefined) ||
    'needs smartctl and dmsetup (packages smartmontools, dmsetup): npm run setup',
  'snapraid-14.9': () =>
    snapraidPath(versions.snapraid.next) !== undefined ||
    `needs snapraid ${versions.snapraid.next} of a newer Debian: npm run setup`,
  samba: () =>
    (onPath('smbd') !== undefined && onPath('smbclient') !== undefined) ||
    'needs Samba, server and client (packages samba, smbclient): npm run setup',
  mount: () => canMount() || 'needs to mount file systems: run it as root outside of a container',
  acl: () =>
    (onPath('getfacl') !== undefined && onPath('getfattr') !== undefined) ||
    'needs getfacl and getfattr (packages acl, attr): npm run setup',
} satisfies Record<string, () => true | string>;

export type Need = keyof typeof offers;

/** For what takes long, beside a pass of the same procedure that `npm test` has: false in `npm run test:full` and for a file by itself, else the reason. */
export const onlyInFull = (because: string): false | string =>
  process.env.HOLDFAST_ONE_RESTIC ? `${because}: in npm run test:full` : false;

/** For `test(name, { skip: needs('root', 'restic') }, …)`: false when all is here, else the reason, which the reporter prints. */
export function needs(...wanted: Need[]): false | string {
  const missing = wanted.map((need) => offers[need]()).filter((answer) => answer !== true);
  return missing.length === 0 ? false : missing.join('; ');
}
