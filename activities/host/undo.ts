import type { Host } from '../../system/host.js';
import { addEvidence, type Evidence, readEvidence, type UndoOpen } from './evidence.js';

/** The journal of former states: what was running before we stopped it, so that it can be put back after any crash. */

/** To be called before the thing is touched. The first record of a run stays: a retry sees our own change, not the former state. */
export const recordFormerState = (
  host: Host,
  run: string,
  what: string,
  former: Record<string, unknown>,
): Promise<void> => addEvidence(host, { kind: 'undo-open', run, what, former });

/**
 * The same for what a run may change, put back and change again: the journal takes each statement of a run once, so the second time has a
 * name of its own. What is open already stays as it is.
 */
export async function recordFormerStateAgain(
  host: Host,
  run: string,
  what: string,
  former: Record<string, unknown>,
): Promise<void> {
  const own = (await readEvidence(host)).filter(
    (entry): entry is Evidence & UndoOpen =>
      entry.kind === 'undo-open' && entry.run === run && thingOf(entry.what) === what,
  );
  const open = await openUndos(host, run);
  if (open.some((entry) => thingOf(entry.what) === what)) return;
  await recordFormerState(host, run, own.length === 0 ? what : `${what} ${own.length + 1}`, former);
}

/** Without the count of `recordFormerStateAgain`: no name of ours holds a space. */
export const thingOf = (what: string): string => what.split(' ')[0] ?? what;

/** Says that the former state is back. */
export const markUndone = (host: Host, run: string, what: string): Promise<void> =>
  addEvidence(host, { kind: 'undo-done', run, what });

/** What still waits to be put back, newest first: the order in which it is undone. */
export const openUndos = async (host: Host, run?: string): Promise<UndoOpen[]> =>
  openUndosIn(await readEvidence(host), run);

/** The runs that have something to put back. */
export const openRuns = async (host: Host): Promise<ReadonlySet<string>> =>
  new Set((await openUndos(host)).map(({ run }) => run));

/** The pure half of `openUndos`. */
export function openUndosIn(evidence: readonly Evidence[], run?: string): UndoOpen[] {
  const done = new Set(
    evidence.flatMap((entry) => (entry.kind === 'undo-done' ? [key(entry.run, entry.what)] : [])),
  );
  const open = evidence.filter((entry): entry is Evidence & UndoOpen => entry.kind === 'undo-open');
  return open
    .filter((entry) => !done.has(key(entry.run, entry.what)) && (run === undefined || entry.run === run))
    .reverse();
}

const key = (run: string, what: string): string => `${run}\n${what}`;
