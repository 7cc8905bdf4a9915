import { cursorDestination } from './retention-copies.js';
import type { Listing } from './types.js';

/**
 * Promoting takes snapshots and holds over, never bookmarks: cursors would stay on what was put aside, and retention would take the base
 * of a copy that lags for a snapshot like any other. They are copied first, while the clone still descends from what they stand on; that
 * works also for those whose snapshot is gone.
 */

/** The commands, one after the other, that give a clone the history of what it comes from; none where that is done. Pure. */
export function promoteWords(all: Listing, clone: string, former: string): string[][] {
  const [to, from] = [all.get(clone), all.get(former)];
  const at = from?.snapshots.find(({ name }) => to?.origin === `${former}@${name}`);
  if (!at) return [];
  const has = new Set(to?.bookmarks.map(({ name }) => name));
  const cursors = (from?.bookmarks ?? []).filter(
    ({ name, createtxg }) =>
      cursorDestination(name) !== undefined && createtxg <= at.createtxg && !has.has(name),
  );
  return [
    ...cursors.map(({ name }) => ['bookmark', `${former}#${name}`, `${clone}#${name}`]),
    ['promote', clone],
  ];
}
