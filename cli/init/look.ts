import { join } from 'node:path';
import { isAtLeast, parseVersion } from '../../activities/restic/parse.js';
import type { Findings, Folder } from '../../config/starter.js';
import { hostNameFrom } from '../../config/starter-names.js';
import { zoneMistake } from '../../config/zone.js';
import type { Machine } from './machine.js';
import { dataMounts } from './mounts.js';

/** A look at the machine: quick, reads no secret, and takes whatever does not answer for absent. */

/** `zpool` hangs for ever on a pool whose disks are gone. */
const patienceMs = 5_000;

export async function lookAround(machine: Machine): Promise<Findings> {
  const [restic, pools, datasets, snapraid, syncthing, docker, mounts] = await Promise.all([
    lookForRestic(machine),
    linesOf(machine, 'zpool', ['list', '-H', '-o', 'name']),
    linesOf(machine, 'zfs', ['list', '-H', '-o', 'name', '-t', 'filesystem,volume']),
    lookForSnapraid(machine),
    lookForSyncthing(machine),
    machine.host.exists('/var/run/docker.sock'),
    machine.host.readFile('/proc/self/mountinfo').then(dataMounts, () => []),
  ]);
  return {
    host: hostNameFrom(machine.hostname),
    timezone: zoneMistake(machine.timezone) === undefined ? machine.timezone : 'UTC',
    ...(restic && { restic }),
    pools,
    datasets: datasets.length,
    ...(snapraid && { snapraid }),
    ...(syncthing !== undefined && { syncthing }),
    docker: docker || machine.program('docker') !== undefined,
    mounts,
  };
}

async function linesOf(machine: Machine, program: string, args: readonly string[]): Promise<string[]> {
  const file = machine.program(program);
  if (file === undefined) return [];
  const options = { signal: AbortSignal.timeout(patienceMs), killAfterMs: 1_000 };
  const result = await machine.host.run({ file, args }, options).catch(() => undefined);
  if (result?.exitCode !== 0) return [];
  return result.stdout.split('\n').filter((line) => line.trim() !== '');
}

/** Where people put a restic that is newer than their distribution's. */
const otherPlaces = ['/usr/local/bin/restic', '/opt/restic/restic', '/opt/bin/restic'];

async function lookForRestic(machine: Machine): Promise<Findings['restic']> {
  const onPath = machine.program('restic');
  const path = onPath ?? otherPlaces.find((place) => machine.program(place) !== undefined);
  if (path === undefined) return undefined;
  const [line = ''] = await linesOf(machine, path, ['version']);
  try {
    const version = parseVersion(line);
    return {
      path,
      version: version.join('.'),
      onPath: onPath !== undefined,
      tooOld: !isAtLeast(version, [0, 14]),
    };
  } catch {
    // Something else of that name, or one that does not run here: then there is no restic.
    return undefined;
  }
}

async function lookForSnapraid({ host }: Machine): Promise<Findings['snapraid']> {
  const file = '/etc/snapraid.conf';
  const text = await host.readFile(file).catch(() => undefined);
  if (text === undefined) return undefined;
  const count = (form: RegExp) => text.split('\n').filter((line) => form.test(line)).length;
  return { file, data: count(/^\s*(data|disk)\s/), parity: count(/^\s*([2-6z]-)?parity\s/) };
}

async function lookForSyncthing({ host, home }: Machine): Promise<string | undefined> {
  const folders = [
    ...(home === undefined ? [] : [join(home, '.local/state/syncthing'), join(home, '.config/syncthing')]),
    '/var/lib/syncthing/.local/state/syncthing',
    '/var/lib/syncthing/.config/syncthing',
    '/var/syncthing/config',
  ];
  for (const folder of folders) {
    const file = join(folder, 'config.xml');
    if (await host.exists(file)) return file;
  }
  return undefined;
}

/** Enough to know how much an unmounted disk would lack, without walking terabytes. */
const enough = { files: 1_000, bytes: 2 ** 30 };

export async function lookInto({ host }: Machine, path: string): Promise<Folder> {
  const isMountPoint = await host.isMountPoint(path);
  const counted = await host.countTree(path, enough, AbortSignal.timeout(patienceMs)).catch(() => undefined);
  return { path, isMountPoint, ...(counted && { holds: { files: counted.files, bytes: counted.bytes } }) };
}
