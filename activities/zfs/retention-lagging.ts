import { fits } from './replicate-names.js';
import type { Verdict } from './retention.js';
import { destinationIn } from './retention-copies.js';
import type { Bookmark, Dataset } from './types.js';

/**
 * Snapshots that stay only for copies elsewhere that lag. Where a pool runs short, the bookmarks of their cursors take their place: the next
 * stream begins at those as well. Pure.
 */

export type HoldTags = ReadonlyMap<string, readonly string[]>;

/** What replication holds while it sends: see replicate-names.ts. The run at its end tells it from the fence. */
const holdForm = /^(holdfast_(.+)_)([a-z0-9-]+(?:\.[a-z0-9-]+)?-\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)$/;

const prefixOf = (tag: string): string | undefined => holdForm.exec(tag)?.[1];

/** For which copy a hold of replication is, and by which run; undefined for anybody else's. */
export function holderOf(tag: string): { destination: string; run: string } | undefined {
  const [, , destination, run] = holdForm.exec(tag) ?? [];
  return destination === undefined || run === undefined ? undefined : { destination, run };
}

const nameOf = ({ dataset, snapshot }: Verdict): string => `${dataset}@${snapshot.name}`;

/** Kept by no rule: for these it must be known who holds the dataset's snapshots. */
export const mayLag = (verdicts: readonly Verdict[]): boolean =>
  verdicts.some(({ reasons }) => reasons.length > 0 && reasons.every(mayBeForCopies));

const mayBeForCopies = (reason: string): boolean => reason === 'held' || destinationIn(reason) !== undefined;

/** A verdict that only copies keep from going, and what must be let go for it. */
export interface Lagging {
  verdict: Verdict;
  /** The copies it stays for. */
  destinations: string[];
  releases: Release[];
}

/** The bookmark comes first: the snapshot may be just what arrived last on the other side, of a run that was cut before it could look. */
export interface Release {
  tag: string;
  snapshot: string;
  bookmark: string;
}

/** `verdicts` of one dataset. A hold is only a copy's when an older cursor of the same copy is there: without one it is the first copy, which could not be gone on with. */
export function laggingIn(
  { bookmarks }: Pick<Dataset, 'bookmarks'>,
  verdicts: readonly Verdict[],
  tags: HoldTags,
): Lagging[] {
  return verdicts.flatMap((verdict) => {
    const { reasons, snapshot } = verdict;
    if (reasons.length === 0 || !reasons.every(mayBeForCopies)) return [];
    const held = reasons.includes('held') ? (tags.get(nameOf(verdict)) ?? ['nobody knows']) : [];
    if (!held.every((tag) => hasOlderCursor(bookmarks, tag, snapshot.createtxg))) return [];
    const cursorOf = (tag: string): string => `${prefixOf(tag)}${snapshot.guid}`;
    if (!held.every((tag) => fits(verdict.dataset, cursorOf(tag)))) return [];
    const named = reasons.flatMap((reason) => destinationIn(reason) ?? []);
    const holding = held.flatMap((tag) => holderOf(tag)?.destination ?? []);
    return [
      {
        verdict,
        destinations: [...new Set([...named, ...holding])],
        releases: held.map((tag) => ({
          tag,
          snapshot: nameOf(verdict),
          bookmark: `${verdict.dataset}#${cursorOf(tag)}`,
        })),
      },
    ];
  });
}

function hasOlderCursor(bookmarks: readonly Bookmark[], tag: string, createtxg: number): boolean {
  const prefix = prefixOf(tag);
  if (prefix === undefined) return false;
  return bookmarks.some(
    (one) =>
      one.createtxg < createtxg && one.name.startsWith(prefix) && /^\d+$/.test(one.name.slice(prefix.length)),
  );
}

/** Who keeps how much, the most first: "grogu.photos 12 snapshots, 40.0 GiB, the oldest of 2026-11-01". */
export function holderWords(lagging: readonly Lagging[], nameOf: (destination: string) => string): string[] {
  const holders = new Map<string, { count: number; bytes: number; oldestS: number }>();
  for (const { verdict, destinations } of lagging)
    for (const destination of destinations) {
      const { usedBytes, creationS } = verdict.snapshot;
      const known = holders.get(destination) ?? { count: 0, bytes: 0, oldestS: creationS };
      holders.set(destination, {
        count: known.count + 1,
        bytes: known.bytes + usedBytes,
        oldestS: Math.min(known.oldestS, creationS),
      });
    }
  return [...holders]
    .sort(([, one], [, other]) => other.bytes - one.bytes)
    .map(([destination, { count, bytes, oldestS }]) => {
      const day = new Date(oldestS * 1000).toISOString().slice(0, 10);
      return `${nameOf(destination)} ${count} snapshots, ${(bytes / 2 ** 30).toFixed(1)} GiB, the oldest of ${day}`;
    });
}

/** What it frees at least: ZFS counts for a snapshot only what no other one holds. */
export const laggingBytes = (lagging: readonly Lagging[]): number =>
  lagging.reduce((sum, { verdict }) => sum + verdict.snapshot.usedBytes, 0);
