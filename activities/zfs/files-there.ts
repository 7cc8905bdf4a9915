import { HoldfastError } from '../../contracts/errors.js';
import { type Place, runShell } from './files-inventory.js';
import type { Piece } from './files-plan.js';
import { innerScript } from './files-scripts.js';

/** Whether a piece of a snapshot can be read where the snapshot is mounted, and is the snapshot's own. */

/** Asked before anything is counted or copied, and again before an approved plan is carried out. */
export async function requireThere(place: Place, piece: Piece, snapshot: string): Promise<void> {
  await requireOwnWay(place, piece, snapshot);
  if (piece.inner.length === 0) return;
  const taken = (await runShell(place, innerScript(place.folder, piece), 'look at folders')).trim();
  if (taken === '') return;
  const message = `${piece.dataset}@${snapshot} holds files in ${taken.split('\n')[0]}, where a dataset of its own comes: restore both by themselves with --path, or the dataset with --clone`;
  throw new HoldfastError('HF_TARGET_REFUSED', message.slice(0, 300));
}

/**
 * Every folder on the way is one of the snapshot. An absolute link would lead into the files of today, and what is copied from there would
 * agree with what it is compared with. Only the last name may be a link: it is restored as one.
 */
async function requireOwnWay({ host, folder }: Place, piece: Piece, snapshot: string): Promise<void> {
  const names = piece.within === '' ? [] : piece.within.split('/');
  for (const at of names.keys()) {
    const way = names.slice(0, at + 1).join('/');
    const facts = await host.facts(`${folder}/${way}`);
    if (!facts)
      throw new HoldfastError(
        'HF_PATH_NOT_FOUND',
        `${piece.dataset}@${snapshot} does not hold "${piece.within}"`.slice(0, 300),
      );
    if (facts.type === 'symlink' && at < names.length - 1)
      throw throughLink(piece, snapshot, { way, leadsTo: facts.linkTarget ?? '' });
  }
}

function throughLink(
  { dataset, within }: Piece,
  snapshot: string,
  { way, leadsTo }: { way: string; leadsTo: string },
): HoldfastError {
  const message = `In ${dataset}@${snapshot} the path "${shown(within)}" leads through the link "${shown(way)}" to "${shown(leadsTo)}": followed, it could lead out of the snapshot to the files of today`;
  return new HoldfastError('HF_PATH_NOT_FOUND', message.slice(0, 300), {
    next: 'Name with --path what the link points to, as it is called inside the dataset that holds it',
  });
}

/** The end of a long path says more than its beginning. */
const shown = (path: string): string => (path.length <= 50 ? path : `…${path.slice(-49)}`);
