import { existsSync } from 'node:fs';
import { onPath } from '../places.js';
import { announce, attempt, type Part, sh } from '../shell.js';

/** Programs and the Debian packages that bring them. */
const packages: Record<string, string> = {
  restic: 'restic',
  getfacl: 'acl',
  getfattr: 'attr',
  setpriv: 'util-linux',
  flock: 'util-linux',
  rclone: 'rclone',
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  sshfs: 'sshfs',
  mbuffer: 'mbuffer',
  zstd: 'zstd',
  pv: 'pv',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  debootstrap: 'debootstrap',
  snapraid: 'snapraid',
  mergerfs: 'mergerfs',
  smartctl: 'smartmontools',
  dmsetup: 'dmsetup',
  smbd: 'samba',
  smbclient: 'smbclient',
  zsh: 'zsh',
  fish: 'fish',
  shellcheck: 'shellcheck',
};

/** Of these only the program is wanted: a machine that was no ssh server must not become one by running tests. */
const services: Record<string, string[]> = {
  'openssh-server': ['ssh.service', 'ssh.socket'],
  smartmontools: ['smartmontools.service'],
  samba: ['smbd.service', 'nmbd.service', 'samba-ad-dc.service'],
};

let updated: Promise<unknown> | undefined;

/** `apt-get update` costs half a minute on a slow line, so only once and only when something is missing. */
export const updateOnce = (): Promise<unknown> => {
  updated ??= sh('apt-get', ['update']);
  return updated;
};

/** Installs from the machine's own mirror, with the machine's own configuration. */
export async function aptInstall(names: readonly string[]): Promise<void> {
  if (onPath('apt-get') === undefined) throw new Error('no apt-get here: only Debian is set up by itself');
  if (process.getuid?.() !== 0) throw new Error(`packages need root: apt-get install ${names.join(' ')}`);
  announce(`apt-get install ${names.join(' ')}`);
  await updateOnce();
  const install = () => sh('apt-get', ['install', '-y', '--no-install-recommends', ...names]);
  const units = existsSync('/run/systemd/system') ? names.flatMap((name) => services[name] ?? []) : [];
  if (units.length === 0) return void (await install());
  // Masked until the next start of the machine at most: nothing of it stays should we be killed.
  await sh('systemctl', ['mask', '--runtime', ...units]);
  try {
    await install();
  } finally {
    await sh('systemctl', ['unmask', '--runtime', ...units]);
  }
  await sh('systemctl', ['disable', ...units]);
}

/** A program of a Debian package. */
export const ensurePackaged = (name: string): Promise<Part> =>
  attempt(async () => {
    const found = onPath(name);
    if (found) return { path: found };
    await aptInstall([packages[name] ?? name]);
    const path = onPath(name);
    return path ? { path } : { missing: `the package of ${name} brought no ${name}` };
  });

/** All packages that the tests use, in one go. */
export async function ensurePackages(): Promise<Record<string, Part>> {
  const names = Object.keys(packages);
  const missing = names.filter((name) => onPath(name) === undefined);
  const wanted = [...new Set(missing.map((name) => packages[name] ?? name))];
  // If one of them cannot be had the others are tried one by one below.
  if (wanted.length > 1) await aptInstall(wanted).catch(() => undefined);
  const parts: Record<string, Part> = {};
  for (const name of names) parts[name] = await ensurePackaged(name);
  return parts;
}
