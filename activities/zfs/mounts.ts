import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { mustSucceed } from './classify.js';
import { folderName, type Through } from './source-plan.js';

/** Snapshots as folders. They are mounted by us and not through .zfs: so a dataset that is not mounted itself can be read too. */

export interface Mount {
  folder: string;
  /** `fast/a@s` for a snapshot. */
  source: string;
}

/** Spaces and the like stand as octal numbers there. */
const plain = (text = ''): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** What is mounted below a folder. */
export async function mountsBelow(host: Host, folder: string): Promise<Mount[]> {
  const lines = (await host.readFile('/proc/self/mountinfo')).split('\n');
  const mounts = lines.map((line) => {
    const [own = '', other = ''] = line.split(' - ');
    return { folder: plain(own.split(' ')[4]), source: plain(other.split(' ')[1]) };
  });
  return mounts.filter((mount) => mount.folder.startsWith(`${folder}/`));
}

/** Where the snapshot of a dataset lies below the place at which the root of its tree is mounted from elsewhere. */
export const pathThrough = ({ directory, root }: Through, dataset: string, snapshot: string): string =>
  `${directory}${dataset.slice(root.length)}/.zfs/snapshot/${snapshot}`;

export interface Wanted {
  datasets: readonly string[];
  snapshot: string;
  through?: Through;
}

/** Makes just these snapshots lie below the folder: what an earlier run has left there goes. */
export async function mountSnapshots(
  host: Host,
  folder: string,
  { datasets, snapshot, through }: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const sourceOf = (dataset: string): string =>
    through ? pathThrough(through, dataset, snapshot) : `${dataset}@${snapshot}`;
  const wanted = new Map(datasets.map((dataset) => [`${folder}/${folderName(dataset)}`, sourceOf(dataset)]));
  const there = await mountsBelow(host, folder);
  // A bind mount does not say what it was made of: it is made anew.
  const wrong = there.filter((mount) => through || wanted.get(mount.folder) !== mount.source);
  await unmountAll(host, wrong, signal);
  await host.makeFolder(folder);
  await removeOtherFolders(host, folder, new Set(wanted.keys()), signal);
  const ready = new Set(there.filter((mount) => !wrong.includes(mount)).map((mount) => mount.folder));
  for (const [place, source] of wanted) {
    if (ready.has(place)) continue;
    await host.makeFolder(place);
    if (through) await mustBeThere(host, source);
    const how = through ? ['-o', 'bind,ro'] : ['-t', 'zfs', '-o', 'ro'];
    const result = await host.run({ file: 'mount', args: [...how, source, place] }, { signal });
    mustSucceed(result, `mount ${source}`, host.name);
  }
}

async function mustBeThere(host: Host, path: string): Promise<void> {
  if ((await host.facts(path))?.type === 'dir') return;
  const message = `There is no ${path} on the machine that reads it: each dataset must be mounted there by itself (NFS: crossmnt, or a line for each), with .zfs in reach; or exclude it`;
  throw new HoldfastError('HF_SOURCE_MISSING', message.slice(0, 300));
}

/** rmdir and nothing stronger: what is not empty is not ours. */
async function removeOtherFolders(
  host: Host,
  folder: string,
  wanted: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  for (const name of await host.list(folder)) {
    const place = `${folder}/${name}`;
    if (wanted.has(place)) continue;
    const result = await host.run({ file: 'rmdir', args: ['--', place] }, { signal });
    mustSucceed(result, `remove the empty folder ${place}`, host.name);
  }
}

export async function unmountAll(host: Host, mounts: readonly Mount[], signal: AbortSignal): Promise<void> {
  for (const mount of [...mounts].reverse()) {
    const result = await host.run({ file: 'umount', args: [mount.folder] }, { signal });
    mustSucceed(result, `unmount ${mount.folder}`, host.name);
  }
}

/** Every planned snapshot lies where it is read, and nothing else does. */
export async function checkMounts(host: Host, folder: string, wanted: Wanted): Promise<void> {
  const { datasets, snapshot, through } = wanted;
  if (through) return checkBinds(host, folder, wanted, through);
  const there = new Map((await mountsBelow(host, folder)).map((mount) => [mount.folder, mount.source]));
  const missing = datasets.find(
    (dataset) => there.get(`${folder}/${folderName(dataset)}`) !== `${dataset}@${snapshot}`,
  );
  if (missing === undefined && there.size === datasets.length) return;
  const what = missing === undefined ? 'something else is mounted there' : `${missing}@${snapshot} is not`;
  const message = `Not just the planned snapshots are mounted below ${folder}: ${what}. Start the job again`;
  throw new HoldfastError('HF_SOURCE_MISSING', message.slice(0, 300));
}

/** The same folder shows by device and inode, whatever it is called. */
async function checkBinds(
  host: Host,
  folder: string,
  { datasets, snapshot }: Wanted,
  through: Through,
): Promise<void> {
  const there = await mountsBelow(host, folder);
  const pairs = datasets.flatMap((dataset) => [
    // Walked into: a snapshot that a network mount let go of while nobody used it is mounted again by that.
    `${pathThrough(through, dataset, snapshot)}/.`,
    `${folder}/${folderName(dataset)}/.`,
  ]);
  const { exitCode, stdout } = await host.run({ file: 'stat', args: ['-c', '%d:%i', '--', ...pairs] });
  const ids = stdout.trim().split('\n');
  const wrong = datasets.find((_, at) => ids[2 * at] === undefined || ids[2 * at] !== ids[2 * at + 1]);
  // Two datasets that show the same files: one of them is mounted in the place of the other.
  const isDistinct = new Set(ids).size === datasets.length;
  if (exitCode === 0 && wrong === undefined && isDistinct && there.length === datasets.length) return;
  const message = `Not just the planned snapshots lie below ${folder}${wrong === undefined ? '' : `: ${wrong}@${snapshot} does not`}. Is ${through.directory} still mounted? Start the job again`;
  throw new HoldfastError('HF_SOURCE_MISSING', message.slice(0, 300));
}
