import { dirname } from 'node:path';
import type { Host } from '../../system/host.js';
import { readEvidence } from '../host/evidence.js';
import type { BareArray, MissingDisk } from './array.js';
import { type ArrayDisk, placesOf } from './conf.js';
import { lastSync } from './last-sync.js';

/** On which mounts the disks of an array lie: a disk that is away leaves a folder behind, on whatever is mounted above it. */

/** The mount that a folder lies on; undefined when that is the root of the machine. */
export async function mountOf(host: Host, folder: string): Promise<string | undefined> {
  for (let at = await host.realPath(folder); at !== '/'; at = dirname(at)) {
    if (await host.isMountPoint(at)) return at;
  }
  return undefined;
}

/** Two folders on one mount: one of the disks is away, and its folder lies on what is mounted above it. */
export async function sharing(
  { tools: { host }, config }: BareArray,
  disks: readonly ArrayDisk[],
): Promise<MissingDisk[]> {
  if (!config.mounted) return [];
  const users = new Map<string, string>();
  const found: MissingDisk[] = [];
  for (const { name, folder } of disks) {
    const mount = (await mountOf(host, folder)) ?? '/';
    const other = users.get(mount);
    if (other !== undefined && other !== name)
      found.push({
        disk: name,
        why: `is not mounted at ${folder}: that lies on ${mount}, like disk ${other}`,
      });
    users.set(mount, name);
  }
  return found;
}

/** By the folders of the disks; kept with each proved sync. */
export async function mountsOf({ tools: { host }, conf }: BareArray): Promise<Record<string, string>> {
  const mounts: Record<string, string> = {};
  for (const { folder } of placesOf(conf)) mounts[folder] = (await mountOf(host, folder)) ?? '/';
  return mounts;
}

/** At the last proved sync the folder lay on a mount of its own; now it lies on one further up. */
export async function unmounted(array: BareArray, disks: readonly ArrayDisk[]): Promise<MissingDisk[]> {
  const { tools, config, resource } = array;
  if (!config.mounted) return [];
  const former = lastSync(await readEvidence(tools.host), resource)?.mounts ?? {};
  const found: MissingDisk[] = [];
  for (const { name, folder } of disks) {
    const mount = (await mountOf(tools.host, folder)) ?? '/';
    const before = former[folder];
    if (before !== undefined && isAbove(mount, before))
      found.push({
        disk: name,
        why: `is not mounted at ${folder}: that lies on ${mount} now, and lay on ${before} at the last sync`,
      });
  }
  return found;
}

const isAbove = (mount: string, other: string): boolean =>
  mount !== other && other.startsWith(mount === '/' ? mount : `${mount}/`);

/**
 * A disk that was pulled out, or that its cable lost, stays mounted: folders that were looked at before are still listed, and only reading
 * fails. The kernel's own list of devices is asked, because /dev is another one in a container; file systems over several devices are in none.
 */
export async function unplugged(
  { tools: { host, signal } }: BareArray,
  disks: readonly ArrayDisk[],
): Promise<MissingDisk[]> {
  const args = ['-c', unpluggedScript, 'sh', ...disks.map(({ folder }) => folder)];
  const { stdout } = await host.run({ file: 'sh', args }, { signal });
  const gone = new Set(stdout.split('\n'));
  return disks.flatMap(({ name, folder }, at) =>
    gone.has(`${at}`) ? [{ disk: name, why: `is gone, although ${folder} is still mounted` }] : [],
  );
}

/** Prints the number of each folder whose device is not there any more. */
const unpluggedScript = `[ -d /sys/dev/block ] || exit 0
at=0
for folder; do
  id=$(findmnt --noheadings --first-only --output MAJ:MIN --target "$folder" | tr -d ' ')
  case $id in '' | 0:*) ;; *) [ -e "/sys/dev/block/$id" ] || echo "$at" ;; esac
  at=$((at + 1))
done`;
