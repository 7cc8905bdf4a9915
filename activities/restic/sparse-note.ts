import type { SparseFile, SparseNote } from '../../contracts/sparseness.js';
import { nameFromLatin1 } from '../../system/file-names.js';
import type { Host } from '../../system/host.js';
import type { Restic } from './driver.js';
import { decimalNanoseconds } from './scan.js';

/** restic does not keep where holes were. The host of the source notes at each backup which files were sparse, and a restore compares with that. */

/** Less than this is no hole worth a word: file systems round, and allocate a little ahead. */
export const leastHoleBytes = 2 ** 20;
export const mostFiles = 1000;
/** Where allocated bytes tell holes. Elsewhere (ZFS, btrfs) compression makes every file look sparse. */
const tellingFileSystems = new Set(['ext2', 'ext3', 'ext4', 'ext2/ext3', 'xfs', 'tmpfs']);

const noteFile = (host: Host, resource: string): string => `${host.stateFolder}/sparse/${resource}.json`;

type Noting = Pick<Restic, 'host' | 'signal' | 'log'>;

interface Source {
  run: string;
  resource: string;
  directory: string;
}

/** Longer than this a copy that is done does not wait for its note, which may walk folders that the copy left out. */
const lateMs = 30_000;

/** Runs beside the copy, which walks the same folders, and never fails: a copy is worth more than a note. */
export function beginSparseNote({ host, signal, log }: Noting, source: Source): { end(): Promise<void> } {
  const stop = new AbortController();
  const noting = { host, log, signal: AbortSignal.any([signal, stop.signal]) };
  const done = note(noting, source).catch((error: unknown) => log(`sparse files were not noted: ${error}`));
  return {
    async end() {
      const late = setTimeout(() => stop.abort(new Error('it took too long')), lateMs);
      await done.finally(() => clearTimeout(late));
    },
  };
}

/** Only the newest note is kept; one of this run is not made twice. */
async function note({ host, signal }: Noting, { run, resource, directory }: Source): Promise<void> {
  if ((await readSparseNote(host, resource))?.run === run) return;
  let files: SparseFile[] = [];
  let left = 0;
  const keepLargest = (): void => {
    left += Math.max(0, files.length - mostFiles);
    files = files.toSorted((one, other) => holesIn(other) - holesIn(one)).slice(0, mostFiles);
  };
  const strange = new Set<string>();
  const take = (entry: string): void => {
    const [size, blocks, mtime = '', fileSystem = '', path = ''] = entry.split('\0');
    const file = {
      path: nameFromLatin1(path),
      size: Number(size),
      mtimeNs: decimalNanoseconds(mtime),
      allocated: Number(blocks) * 512,
    };
    if (!tellingFileSystems.has(fileSystem)) strange.add(fileSystem);
    else if (holesIn(file) >= leastHoleBytes) files.push(file);
    // A source may hold millions of them.
    if (files.length >= 2 * mostFiles) keepLargest();
  };
  const format = '%s\\0%b\\0%T@\\0%F\\0%P\\0\\n';
  const args = [directory, '-type', 'f', '-size', `+${leastHoleBytes - 1}c`, '-printf', format];
  const isWhole = await walk(host, args, signal, take);
  keepLargest();
  const gap = gapOf({ isWhole, strange, left });
  const made: SparseNote = { run, files, ...(gap !== undefined && { gap }) };
  await host.makeFolder(`${host.stateFolder}/sparse`);
  await host.writeFile(noteFile(host, resource), JSON.stringify(made));
}

const holesIn = ({ size, allocated }: SparseFile): number => size - allocated;

async function walk(
  host: Host,
  args: readonly string[],
  signal: AbortSignal,
  onEntry: (entry: string) => void,
): Promise<boolean> {
  let pending = '';
  const { exitCode } = await host.run(
    { file: 'find', args, env: { LC_ALL: 'C' } },
    {
      signal,
      bytes: true,
      onLine: (line, stream) => {
        if (stream !== 'stdout') return;
        pending += line;
        if (line.endsWith('\0')) {
          onEntry(pending);
          pending = '';
        } else pending += '\n';
      },
    },
  );
  return exitCode === 0;
}

function gapOf(found: { isWhole: boolean; strange: Set<string>; left: number }): string | undefined {
  const [fileSystem] = found.strange;
  if (fileSystem !== undefined)
    return `on ${fileSystem}, where the source lies, allocated bytes do not tell holes`;
  if (!found.isWhole) return 'some of the source could not be looked at';
  return found.left > 0 ? `the ${mostFiles} with the largest holes were noted, of more` : undefined;
}

/** What the newest backup on this host noted; undefined when there is nothing, or nothing readable. */
export async function readSparseNote(host: Host, resource: string): Promise<SparseNote | undefined> {
  const file = noteFile(host, resource);
  if (!(await host.exists(file))) return undefined;
  try {
    return JSON.parse(await host.readFile(file)) as SparseNote;
  } catch {
    return undefined;
  }
}
