import { HoldfastError } from '../../contracts/errors.js';
import { type Known, pointOf } from './known.js';
import { madeBy, otherHosts } from './made-by.js';
import type { Snapshot } from './parse.js';

/** Which copy a restore takes. Pure. */

export interface Wish {
  /** An id or its beginning. */
  copy?: string | undefined;
  /** ISO 8601. */
  at?: string | undefined;
}

const leastPrefix = 4;
const notFound = (message: string): HoldfastError =>
  new HoldfastError('HF_COPY_NOT_FOUND', message.slice(0, 300));

export interface ChooseFrom {
  listing: readonly Snapshot[];
  known: Known;
  /** The host whose copies are meant; those of another one are taken where it has none, as after it was renamed, or by their name. */
  home: string;
  /** Copies of other hosts by their name alone. */
  onlyHome?: boolean;
  what: string;
}

/** The copy that is named, or the newest one, or the newest that is not younger than `at`. Refused ones only by their name. */
export function chooseSnapshot(from: ChooseFrom, wish: Wish): Snapshot {
  const { listing, known, home, what } = from;
  if (wish.copy !== undefined && wish.at !== undefined) {
    throw new HoldfastError('HF_CONFIG_INVALID', 'Choose a copy by its id or by a time, not by both');
  }
  if (wish.copy !== undefined) return byId(listing, wish.copy, what);
  const pointMs = (copy: Snapshot): number => Date.parse(pointOf(known, copy));
  const good = listing
    .filter(({ id }) => !known.refused.has(id))
    .toSorted((one, other) => pointMs(one) - pointMs(other));
  const [first] = good;
  if (!first) throw notFound(`There is no copy of ${what}; "holdfast copies" lists what there is`);
  const limitMs = wish.at === undefined ? Number.POSITIVE_INFINITY : Date.parse(wish.at);
  if (Number.isNaN(limitMs)) throw new HoldfastError('HF_CONFIG_INVALID', `"${wish.at}" is not a time`);
  const inTime = good.filter((copy) => pointMs(copy) <= limitMs);
  const chosen = madeBy(home, inTime).at(-1) ?? ofFormerName(from, inTime);
  if (chosen) return chosen;
  throw notFound(
    `There is no copy of ${what} at ${wish.at}: the first is of ${pointOf(known, first)}. Choose a later time`,
  );
}

/** Which of several hosts is meant is no guess of ours, and what takes the place of living files is none at all. */
function ofFormerName(
  { home, onlyHome, what }: ChooseFrom,
  inTime: readonly Snapshot[],
): Snapshot | undefined {
  const hosts = otherHosts(home, inTime);
  if (hosts.length === 0 || (hosts.length === 1 && !onlyHome)) return inTime.at(-1);
  const names = hosts.map((name) => `"${name}"`).join(', ');
  throw notFound(
    `The copies of ${what} that fit were made by ${names}, not by "${home}": name one with --copy; "holdfast copies" lists them`,
  );
}

function byId(listing: readonly Snapshot[], prefix: string, what: string): Snapshot {
  if (prefix.length < leastPrefix)
    throw notFound(`"${prefix}" is too short: give at least 4 characters of the id`);
  const found = listing.filter(({ id }) => id.startsWith(prefix));
  const [only] = found;
  if (!only) throw notFound(`There is no copy "${prefix}" of ${what}; "holdfast copies" lists what there is`);
  if (found.length === 1) return only;
  const ids = found.map(({ id }) => id.slice(0, 12)).join(', ');
  throw notFound(`"${prefix}" fits ${found.length} copies of ${what}: ${ids}. Give more of the id`);
}
