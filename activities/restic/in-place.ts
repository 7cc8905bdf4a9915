import { basename, dirname, normalize } from 'node:path';
import { folderOf, storeOf } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { RestorePlan, RestoreStepInput } from '../../contracts/jobs.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { checkHostOf } from './job.js';
import { isWithin } from './selection.js';
import { requireOwn } from './target.js';

/** Whether a resource may be restored onto itself, and where the parts of it lie meanwhile. */

/** Kept in the journal: enough to bring back what was there, from any point of the exchange. */
export interface Exchange {
  directory: string;
  /**
   * `beside`: two renames exchange the folders. `inside`: the folder is a mount point, which cannot be renamed, and what lies on another
   * file system would have to be copied; its entries are moved, one by one, into a folder of its own.
   */
  mode: 'beside' | 'inside';
  /** The whole restored tree, until it takes its place. */
  staged: string;
  /** What was there before. Never removed by us. */
  aside: string;
  /** Where the restored tree goes when the former state comes back. */
  back: string;
  /** False where there was nothing to move aside. */
  hadDirectory: boolean;
}

/** All of our names inside a mount point begin so. */
export const insidePrefix = '.holdfast-';

/** Looks whether this host allows it and whether it can be done; says where everything will lie. */
export async function planExchange(
  { host, config }: Tools,
  { resource, store, run, paths }: Pick<RestoreStepInput, 'resource' | 'store' | 'run' | 'paths'>,
): Promise<Exchange> {
  checkHostOf(config, resource, host.name);
  const { directory: written, restoreInPlace } = folderOf(config, resource);
  const directory = normalize(written).replace(/(?<=.)\/+$/, '');
  if (!restoreInPlace)
    throw refused(directory, `set resources.${resource}.restoreInPlace: true on this host, or use --to`);
  if (paths.length > 0)
    throw refused(directory, 'only a whole resource goes in place; use --to for parts of it');
  await refuseOwnPlaces(host, directory, [host.stateFolder, storeOf(config, store).repository]);
  const facts = await host.facts(directory);
  if (facts && facts.type !== 'dir') throw refused(directory, 'it is not a folder');
  if (facts && (await host.realPath(directory)) !== directory)
    throw refused(directory, 'its path leads through a link; name the real folder in holdfast.yaml');
  const inner = (await mountPoints(host)).find((point) => point !== directory && isWithin(point, directory));
  if (inner !== undefined) throw refused(directory, `${inner} is mounted inside of it; unmount it first`);
  const isMounted = facts !== undefined && (await host.isMountPoint(directory));
  const exchange = placesOf(directory, isMounted ? 'inside' : 'beside', run, facts !== undefined);
  await requireOwn(host, exchange.staged, dirname(exchange.staged));
  return exchange;
}

/** What the restore itself stands on would be moved away under it. */
async function refuseOwnPlaces(host: Host, directory: string, own: readonly string[]): Promise<void> {
  if (directory === '/') throw refused(directory, 'it is the whole machine');
  for (const path of own.filter((path) => path.startsWith('/'))) {
    if (!isWithin(await host.realPath(path), directory)) continue;
    throw refused(directory, `${path} lies in it and is needed for the restore itself`);
  }
}

/** The staged tree has one name for all runs, so that a later one goes on with it. */
export function placesOf(
  directory: string,
  mode: Exchange['mode'],
  run: string,
  hadDirectory: boolean,
): Exchange {
  const base = mode === 'inside' ? `${directory}/${insidePrefix}` : `${directory}.`;
  return {
    directory,
    mode,
    staged: mode === 'inside' ? `${base}in-place` : `${base}holdfast-in-place`,
    aside: `${base}before-${run}`,
    back: `${base}restored-${run}`,
    hadDirectory,
  };
}

/** Names of ours as a restore in place leaves them inside a mount point, for restic; not those of an exchange that is not finished. */
export function ownNamesInside(directory: string): string[] {
  const base = `${directory === '/' ? '' : directory.replace(/[\\*?[\]]/g, '\\$&')}/${insidePrefix}`;
  const run = `*-${'dddd-dd-ddTdd:dd:ddZ'.replaceAll('d', '[0-9]')}`;
  return [`${base}in-place`, `${base}before-${run}`, `${base}restored-${run}`];
}

/** Entries are moved into a mount point one by one, and names of ours stay where they are: one that is in the copy too would end the exchange half way. */
export async function refuseOwnNames(
  host: Host,
  { directory, mode, staged }: Exchange,
  root: string,
  nodes: readonly { path: string }[],
): Promise<void> {
  if (mode !== 'inside') return;
  const prefix = `${root === '/' ? '' : root}/${insidePrefix}`;
  for (const { path } of nodes) {
    if (!path.startsWith(prefix) || path.includes('/', prefix.length)) continue;
    const name = basename(path);
    if (name !== basename(staged) && !(await host.facts(`${directory}/${name}`))) continue;
    const way = 'restore with --to, or take an older copy (--at)';
    throw refused(
      directory,
      name === basename(staged)
        ? `the copy holds ${name}, the name of our own working folder: ${way}`
        : `the copy holds ${name}, and so does the folder; what is called so stays where it is: move it out of the folder, ${way}`,
    );
  }
}

/** What the operator is shown beside the copy. The size is for the eye: the approval is not bound to it, because the folder is alive. */
export async function shownExchange(
  { host, signal }: Tools,
  { directory, aside, hadDirectory }: Exchange,
): Promise<NonNullable<RestorePlan['inPlace']>> {
  const everything = { files: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  const { files, bytes } = hadDirectory
    ? await host.countTree(directory, everything, signal)
    : { files: 0, bytes: 0 };
  return { directory, aside, files, bytes };
}

async function mountPoints(host: Host): Promise<string[]> {
  const lines = (await host.readFile('/proc/self/mountinfo')).split('\n');
  return lines.map((line) =>
    (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    ),
  );
}

const refused = (directory: string, why: string): HoldfastError =>
  new HoldfastError(
    'HF_TARGET_REFUSED',
    `The host does not restore in place onto ${directory}: ${why}. Nothing was touched`.slice(0, 300),
  );
