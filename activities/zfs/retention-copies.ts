import type { Dataset, Snapshot } from './types.js';

/** What copies elsewhere still need of a dataset's snapshots, told by their cursors. Pure. */

/** So many of the newest stay whatever the rules say while a copy elsewhere is behind. */
export const floorWhileBehind = 3;

/** `#holdfast_<destination>_<guid>`: made before a transfer begins, so that an unfinished one has two, the older of which is proved. */
const cursorForm = /^holdfast_(.+)_(\d+)$/;

/** Of a bookmark that is a cursor: for which destination. */
export const cursorDestination = (bookmark: string): string | undefined => cursorForm.exec(bookmark)?.[1];

/** Why a snapshot must stay for a copy: it is the base of a destination, or one of the last few where a destination is behind. */
export function neededByCopies(
  { bookmarks }: Pick<Dataset, 'bookmarks'>,
  own: readonly Snapshot[],
): Map<Snapshot, string[]> {
  const needed = new Map<Snapshot, string[]>();
  const need = (snapshot: Snapshot, why: string): void => {
    needed.set(snapshot, [...(needed.get(snapshot) ?? []), why]);
  };
  const provedTxg = new Map<string, number>();
  for (const { name, guid, createtxg } of bookmarks) {
    const [, destination] = cursorForm.exec(name) ?? [];
    if (destination === undefined) continue;
    if (!provedTxg.has(destination)) provedTxg.set(destination, createtxg);
    const base = own.find((snapshot) => snapshot.guid === guid);
    if (base) need(base, `${baseOf}${destination}`);
  }
  for (const [destination, txg] of provedTxg) {
    if ((own.at(-1)?.createtxg ?? 0) <= txg) continue;
    for (const snapshot of own.slice(-floorWhileBehind)) need(snapshot, `${floorFor}${destination}`);
  }
  return needed;
}

const baseOf = 'base of ';
const floorFor = 'floor for ';

/** The copy that a reason speaks of; undefined for any other reason. */
export const destinationIn = (reason: string): string | undefined =>
  [baseOf, floorFor].flatMap((form) => (reason.startsWith(form) ? [reason.slice(form.length)] : []))[0];
