import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { mustSucceed } from './classify.js';
import { folderName } from './source-plan.js';

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

/** Makes just these snapshots lie below the folder: what an earlier run has left there goes. */
export async function mountSnapshots(
  host: Host,
  folder: string,
  { datasets, snapshot }: { datasets: readonly string[]; snapshot: string },
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Map(
    datasets.map((dataset) => [`${folder}/${folderName(dataset)}`, `${dataset}@${snapshot}`]),
  );
  const there = await mountsBelow(host, folder);
  const wrong = there.filter((mount) => wanted.get(mount.folder) !== mount.source);
  await unmountAll(host, wrong, signal);
  await host.makeFolder(folder);
  await removeOtherFolders(host, folder, new Set(wanted.keys()), signal);
  const ready = new Set(there.filter((mount) => !wrong.includes(mount)).map((mount) => mount.folder));
  for (const [place, source] of wanted) {
    if (ready.has(place)) continue;
    await host.makeFolder(place);
    const result = await host.run(
      { file: 'mount', args: ['-t', 'zfs', '-o', 'ro', source, place] },
      { signal },
    );
    mustSucceed(result, `mount ${source}`, host.name);
  }
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
export async function checkMounts(
  host: Host,
  folder: string,
  { datasets, snapshot }: { datasets: readonly string[]; snapshot: string },
): Promise<void> {
  const there = new Map((await mountsBelow(host, folder)).map((mount) => [mount.folder, mount.source]));
  const missing = datasets.find(
    (dataset) => there.get(`${folder}/${folderName(dataset)}`) !== `${dataset}@${snapshot}`,
  );
  if (missing === undefined && there.size === datasets.length) return;
  const what = missing === undefined ? 'something else is mounted there' : `${missing}@${snapshot} is not`;
  const message = `Not just the planned snapshots are mounted below ${folder}: ${what}. Start the job again`;
  throw new HoldfastError('HF_SOURCE_MISSING', message.slice(0, 300));
}
