import { HoldfastError } from '../../contracts/errors.js';
import { addEvidence, readEvidence } from '../host/evidence.js';
import type { SnapArray } from './array.js';
import { askDiff } from './ask.js';
import { openedByThisRun } from './open-repair.js';
import type { Change } from './parse-diff.js';
import { parseWork, type WorkEnd } from './parse-work.js';
import { leftLog } from './work.js';

/**
 * What the rebuild of a disk writes over. snapraid's fix puts every file back as it was at the last sync, also one that somebody has put
 * there in a newer version since: nobody else has that one.
 */

export interface Overwrite {
  path: string;
  /** Sizes and times before and after: a version that is newer still is another one. */
  how: string;
}

/** Files that are not as they were, and what lies at the name of one that is gone. Pure. */
export function overwritesOf(changes: readonly Change[], disk: string): Overwrite[] {
  const own = changes.filter((change) => change.disk === disk);
  const come = new Set(own.filter((change) => !isLost(change)).map(({ path }) => path));
  return own
    .filter((change) => isLost(change) && (change.kind === 'updated' || come.has(change.path)))
    .map(({ path, how = '' }) => ({ path, how }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const isLost = ({ kind }: Change): boolean => kind === 'removed' || kind === 'updated';

/** Those that cannot be there any more as they were rebuilt: changed, deleted or moved away since. Pure. */
export function changedSince(fix: WorkEnd, changes: readonly Change[], disk: string): Set<string> {
  const names = changes.flatMap(({ kind, disk: on, path, from = '' }) => {
    if (kind === 'removed' || kind === 'updated') return on === disk ? [nameOf(disk, path)] : [];
    if (kind === 'moved') return on === disk ? [nameOf(disk, from)] : [];
    return kind === 'relocated' && from.startsWith(`${disk}:`) ? [printable(from)] : [];
  });
  // One that the repair has met and not brought back is not changed by somebody else.
  const half = new Set(halfOf(fix));
  return new Set(names.filter((name) => !half.has(name)));
}

/** Files that a repair has begun to write and not brought to their end. Pure. */
export function halfOf({ troubledFiles, files }: WorkEnd): string[] {
  const done = new Set([...files.recovered, ...files.unrecoverable]);
  return troubledFiles.filter((name) => !done.has(name));
}

const nameOf = (disk: string, path: string): string => printable(`${disk}:${path}`);

/** As the log of a repair is read. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '?');

/** A killed repair leaves the file half written that it was just at: a later attempt is to write over it, until one has brought it back. */
export async function noteHalf(array: SnapArray, attempt: number, end: WorkEnd): Promise<void> {
  const { tools, input } = array;
  const before = await halfWritten(array);
  const done = new Set([...end.files.recovered, ...end.files.unrecoverable]);
  const files = [...new Set([...before, ...halfOf(end)])].filter((name) => !done.has(name));
  if (files.length === 0 && before.length === 0) return;
  const { run, resource } = input;
  await addEvidence(tools.host, { kind: 'array-repair-half', run, resource, attempt, files });
}

/** What a host without power has left of a log may be unreadable: then nothing is known to be half written, and a human is asked. */
function leftEnd(lines: readonly string[]): WorkEnd | undefined {
  try {
    return lines.length > 0 ? parseWork('fix', lines) : undefined;
  } catch {
    return undefined;
  }
}

async function halfWritten({ tools, input }: SnapArray): Promise<string[]> {
  const noted = (await readEvidence(tools.host)).findLast(
    (entry) =>
      entry.kind === 'array-repair-half' && entry.run === input.run && entry.resource === input.resource,
  );
  return noted?.kind === 'array-repair-half' ? noted.files : [];
}

/** A later attempt writes over what the first was allowed to, and what it has left half written: nothing that somebody has changed since. */
export async function refuseNewer(array: SnapArray, disk: string): Promise<void> {
  // First: it waits for the end of a repair that outlived its worker.
  const now = overwritesOf((await askDiff(array)).changes, disk);
  const left = leftEnd(await leftLog(array, 'fix'));
  if (left) await noteHalf(array, array.tools.attempt - 1, left);
  const half = await halfWritten(array);
  const shown = (await openedByThisRun(array))?.overwrites ?? [];
  const newer = now.filter(
    ({ path, how }) =>
      !half.includes(nameOf(disk, path)) && !shown.some((one) => one.path === path && one.how === how),
  );
  if (newer.length === 0) return;
  const names = newer.slice(0, 3).map(({ path }) => nameOf(disk, path));
  throw new HoldfastError(
    'HF_NOT_APPROVED',
    `${newer.length} files of ${disk} were changed since its rebuild began, which would put them back to what they were: ${names.join(', ').slice(0, 120)}. Start it anew: it shows them`,
  );
}

/** For whoever is asked: these versions are nowhere else. */
export const overwriteLines = (found: readonly Overwrite[], disk: string): string[] =>
  found.length === 0
    ? []
    : [
        `${found.length} files on ${disk} itself are not as they were at the last sync, and are put back to that; copy elsewhere first what is newer:`,
        ...found
          .slice(0, 50)
          .map(({ path }) =>
            `  is put back to what it was at the last sync: ${nameOf(disk, path)}`.slice(0, 300),
          ),
        ...(found.length > 50 ? [`  and ${found.length - 50} more`] : []),
      ];
