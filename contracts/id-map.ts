import { HoldfastError } from './errors.js';

/** How the owners in a copy become the owners of what is restored: unprivileged containers see shifted ids. Pure. */

export interface IdRange {
  /** The first id in the copy. */
  from: number;
  /** What it becomes. */
  to: number;
  count: number;
}

/** A side without ranges keeps its ids; with ranges, every id must lie in one of them. */
export interface IdMap {
  uid: readonly IdRange[];
  gid: readonly IdRange[];
}

/** 2^32 - 1 means "no id" to the system. */
export const endOfIds = 2 ** 32 - 1;
const mostRanges = 340;

/** FROM:TO:COUNT for owners and groups, uid=FROM:TO:COUNT or gid=FROM:TO:COUNT for one of them. */
export function parseIdMap(words: readonly string[]): IdMap {
  const map: { uid: IdRange[]; gid: IdRange[] } = { uid: [], gid: [] };
  if (words.length > mostRanges) throw usage(`--map-ids takes at most ${mostRanges} ranges`);
  for (const word of words) {
    const { sides, range } = parseRange(word);
    for (const side of sides) map[side].push(range);
  }
  for (const side of ['uid', 'gid'] as const) {
    refuseOverlap(side, map[side], 'from', 'in the copy');
    refuseOverlap(side, map[side], 'to', 'after mapping: two owners would become one');
  }
  return map;
}

function parseRange(word: string): { sides: ('uid' | 'gid')[]; range: IdRange } {
  const [, side, ...numbers] = /^(?:(uid|gid)=)?(\d{1,10}):(\d{1,10}):(\d{1,10})$/.exec(word) ?? [];
  const [from = -1, to = -1, count = 0] = numbers.map(Number);
  const shown = JSON.stringify(word.slice(0, 60));
  if (numbers.length === 0)
    throw usage(`--map-ids takes FROM:TO:COUNT such as 0:100000:65536, or uid=… or gid=…, not ${shown}`);
  if (count < 1) throw usage(`--map-ids ${shown} maps no id: its COUNT is 0`);
  if (Math.max(from, to) + count > endOfIds)
    throw usage(`--map-ids ${shown} goes beyond ${endOfIds - 1}, the last id there is`);
  return { sides: side === 'uid' || side === 'gid' ? [side] : ['uid', 'gid'], range: { from, to, count } };
}

function refuseOverlap(
  side: 'uid' | 'gid',
  ranges: readonly IdRange[],
  end: 'from' | 'to',
  where: string,
): void {
  const sorted = ranges.toSorted((one, other) => one[end] - other[end]);
  for (const [index, range] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next && range[end] + range.count > next[end])
      throw usage(`--map-ids: ${side} ${next[end]} is named by two ranges, ${where}`);
  }
}

/** What an id becomes; undefined when the map has no place for it. */
export function mappedId(ranges: readonly IdRange[], id: number): number | undefined {
  if (ranges.length === 0) return id;
  const range = ranges.find(({ from, count }) => id >= from && id < from + count);
  return range && range.to + (id - range.from);
}

/** The first range of `wanted` that does not lie within one of `allowed` with the same shift, as words; undefined when all do. */
export function rangeNotAllowed(wanted: IdMap, allowed: readonly IdMap[]): string | undefined {
  for (const side of ['uid', 'gid'] as const) {
    const may = allowed.flatMap((map) => map[side]);
    const stranger = wanted[side].find(
      ({ from, to, count }) =>
        !may.some(
          (range) =>
            from >= range.from &&
            from + count <= range.from + range.count &&
            to - from === range.to - range.from,
        ),
    );
    if (stranger) return `${side}=${stranger.from}:${stranger.to}:${stranger.count}`;
  }
  return undefined;
}

const usage = (message: string): HoldfastError => new HoldfastError('HF_USAGE', message);
