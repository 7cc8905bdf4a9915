import { HoldfastError } from '../../contracts/errors.js';
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

/** The copy that is named, or the newest one, or the newest that is not younger than `at`. `refused` ones only by their name. */
export function chooseSnapshot(
  listing: readonly Snapshot[],
  wish: Wish,
  refused: ReadonlySet<string>,
  what: string,
): Snapshot {
  if (wish.copy !== undefined && wish.at !== undefined) {
    throw new HoldfastError('HF_CONFIG_INVALID', 'Choose a copy by its id or by a time, not by both');
  }
  if (wish.copy !== undefined) return byId(listing, wish.copy, what);
  const good = listing.filter(({ id }) => !refused.has(id));
  const [first] = good;
  if (!first) throw notFound(`There is no copy of ${what}; "holdfast copies" lists what there is`);
  const limitMs = wish.at === undefined ? Number.POSITIVE_INFINITY : Date.parse(wish.at);
  if (Number.isNaN(limitMs)) throw new HoldfastError('HF_CONFIG_INVALID', `"${wish.at}" is not a time`);
  const chosen = good.findLast(({ time }) => Date.parse(time) <= limitMs);
  if (chosen) return chosen;
  throw notFound(
    `There is no copy of ${what} at ${wish.at}: the first is of ${first.time}. Choose a later time`,
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
