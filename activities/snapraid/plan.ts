import { createHash } from 'node:crypto';
import type { SnapraidJob } from '../../config/schema.js';
import type { ChangeKind, SnapraidPlan } from '../../contracts/snapraid.js';
import { ignoring } from './ignore.js';
import type { ArrayDiff, Change } from './parse-diff.js';

/** What a sync would make permanent, and whether a human must see it first. Pure. */

export interface PlanInput {
  diff: ArrayDiff;
  thresholds: SnapraidJob['thresholds'];
  /** Files that the array knows on each data disk, before the changes. */
  filesOfDisk: ReadonlyMap<string, number>;
  /** Why a human must be asked that no list of changes shows, in words. */
  known?: readonly string[];
}

export type Judged = Omit<SnapraidPlan, 'resource' | 'file' | 'warnings'> & {
  /** What snapraid refuses by itself, and is told after an approval alone. */
  forceZero: boolean;
  forceEmpty: boolean;
};

type Watched = 'removed' | 'updated' | 'moved' | 'restored' | 'relocated';
type Limits = Partial<Record<Watched, { files?: number; percent?: number } | undefined>>;

const watched: readonly Watched[] = ['removed', 'updated', 'moved', 'restored', 'relocated'];

export function planSync({ diff, thresholds, filesOfDisk, known = [] }: PlanInput): Judged {
  const isIgnored = ignoring(thresholds.ignore);
  const counted = diff.changes.filter(({ path }) => !isIgnored(path));
  const before = sum([...filesOfDisk.values()]);
  const emptied = diff.changes.filter((change) => change.emptied);
  const empty = emptyDisks(diff.changes, filesOfDisk);
  const reasons = [
    ...known,
    ...empty.map(
      (disk) => `disk ${disk} looks empty: none of its ${filesOfDisk.get(disk)} files is as it was`,
    ),
    ...(emptied.length > 0 ? [`${counts(emptied.length)} shrank to nothing`] : []),
    ...beyond(counted, thresholds, before, 'of the array'),
    ...[...filesOfDisk].flatMap(([disk, files]) => {
      const own = counted.filter((change) => change.disk === disk);
      return beyond(own, thresholds.disks[disk] ?? thresholds.perDisk, files, `of disk ${disk}`);
    }),
  ];
  const { equal: _, ...kinds } = diff.counts;
  return {
    counts: kinds,
    isInSync: !diff.syncNeeded,
    unsynced: diff.syncNeeded && diff.changes.length === 0,
    reasons,
    digest: digestOf(diff.changes, empty, known),
    lines: linesOf(diff.changes),
    forceZero: emptied.length > 0,
    forceEmpty: empty.length > 0,
  };
}

/** Which limits are passed, in words. */
function beyond(changes: readonly Change[], limits: Limits, files: number, where: string): string[] {
  return watched.flatMap((kind) => {
    const limit = limits[kind];
    const count = changes.filter((change) => change.kind === kind).length;
    if (!limit || count === 0) return [];
    const most = limit.percent === undefined ? Infinity : (files * limit.percent) / 100;
    if (limit.files !== undefined && count > limit.files)
      return [`${counts(count)} ${where} ${kind}, more than ${limit.files}`];
    return count > most
      ? [`${counts(count)} ${where} ${kind}, more than ${limit.percent} % of ${files}`]
      : [];
  });
}

/** Disks that had files and of which none is left as it was: unmounted, formatted or wiped. snapraid refuses them too. */
export function emptyDisks(changes: readonly Change[], filesOfDisk: ReadonlyMap<string, number>): string[] {
  return [...filesOfDisk].flatMap(([disk, files]) => {
    const gone = changes.filter((change) => leaves(disk, change)).length;
    return files > 0 && gone >= files ? [disk] : [];
  });
}

/** snapraid 14 books a file that has gone to another disk there, and says of this one only where it came from. */
const leaves = (disk: string, { kind, disk: at, from }: Change): boolean =>
  kind === 'relocated'
    ? from?.startsWith(`${disk}:`) === true
    : at === disk && (kind === 'removed' || kind === 'updated');

/** Additions lose nothing, and on a busy array there are always some more: an approval need not know them. */
const isAddition = ({ kind }: Change): boolean => kind === 'added' || kind === 'copied';

function digestOf(changes: readonly Change[], empty: readonly string[], known: readonly string[]): string {
  const lines = changes
    .filter((change) => !isAddition(change))
    // Not how often it was written: what parity holds of a file is gone with the first sync, however new the file is by then.
    .map(({ kind, disk, path, from, emptied }) => JSON.stringify([kind, disk, path, from, emptied]));
  const text = [...lines.sort(), JSON.stringify(empty), ...known].join('\n');
  return createHash('sha256').update(text).digest('hex');
}

const mostNames = 100;
const mostCharacters = 6_000;

/** Losses first, by folder: a human decides by what is gone and not by what has come. */
export function linesOf(changes: readonly Change[]): string[] {
  const ordered = [...changes].sort((a, b) => rank(a) - rank(b));
  const shown = ordered.slice(0, mostNames);
  const lines = [...byFolder(shown)].flatMap(([folder, inside]) => [
    `${printable(folder)}:`,
    ...inside.map((change) => `  ${wordsOf(change)}`),
  ]);
  const kept = withinCharacters(lines);
  const names = kept.filter((line) => line.startsWith('  ')).length;
  const more = changes.length - names;
  return more > 0 ? [...kept, `and ${more} more`] : kept;
}

function byFolder(changes: readonly Change[]): Map<string, Change[]> {
  const folders = new Map<string, Change[]>();
  for (const change of changes) {
    const folder = `${change.disk}:${folderOf(change.path)}`;
    folders.set(folder, [...(folders.get(folder) ?? []), change]);
  }
  return folders;
}

function withinCharacters(lines: readonly string[]): string[] {
  let length = 0;
  return lines.filter((line) => {
    length += line.length + 1;
    return length <= mostCharacters;
  });
}

const ranks: Record<ChangeKind, number> = {
  removed: 1,
  updated: 2,
  moved: 3,
  relocated: 4,
  restored: 5,
  copied: 6,
  added: 7,
};
const rank = (change: Change): number => (change.emptied ? 0 : ranks[change.kind]);

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1) || './';

function wordsOf(change: Change): string {
  const name = change.path.slice(change.path.lastIndexOf('/') + 1);
  const word = change.emptied ? 'shrank to nothing' : change.kind;
  return printable(`${word} ${name}${change.from === undefined ? '' : ` (was ${change.from})`}`).slice(
    0,
    300,
  );
}

/** Names may hold anything but a slash; what is shown stays on its line. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '?');

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0);
const counts = (files: number): string => `${files} ${files === 1 ? 'file' : 'files'}`;
