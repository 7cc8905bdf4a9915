import { HoldfastError } from '../../contracts/errors.js';
import type { Listing } from './types.js';

/**
 * Promoting takes over snapshots, holds and bookmarks until the origin, cursors among them, also those whose snapshot is gone. Where the
 * clone has a bookmark of the same name already, the kernel stops on a failed assertion and the pool hangs until the machine is started
 * anew (seen with OpenZFS 2.3.9: avl_add in dsl_bookmark_node_add): that is refused before.
 */

/** The command that gives a clone the history of what it comes from; none where that is done. Pure. */
export function promoteWords(all: Listing, clone: string, former: string): string[][] {
  const [to, from] = [all.get(clone), all.get(former)];
  const at = from?.snapshots.find(({ name }) => to?.origin === `${former}@${name}`);
  if (!to || !from || !at) return [];
  const has = new Set(to.bookmarks.map(({ name }) => name));
  const twice = from.bookmarks.find(({ name, createtxg }) => createtxg <= at.createtxg && has.has(name));
  if (!twice) return [['promote', clone]];
  throw new HoldfastError(
    'HF_TOOL_FAILED',
    `${clone} is not promoted: it and ${former} both have a bookmark #${twice.name}, which would hang the pool. Destroy one of the two ("zfs destroy ${clone}#${twice.name}")`.slice(
      0,
      400,
    ),
  );
}
