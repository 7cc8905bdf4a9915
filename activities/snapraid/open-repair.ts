import { addEvidence, type Evidence, readEvidence } from '../host/evidence.js';
import type { ArrayRepairOpen } from '../host/evidence-array.js';
import type { SnapArray } from './array.js';

/**
 * A repair that was begun and not brought to its end: the files that are still missing look as if somebody had deleted them, and the
 * next sync would make that permanent.
 */

/** Before it writes anything. */
export async function openRepair(
  { tools, input }: SnapArray,
  opened: Pick<ArrayRepairOpen, 'what' | 'device' | 'overwrites'>,
): Promise<void> {
  const { run, resource } = input;
  await addEvidence(tools.host, { kind: 'array-repair-open', run, resource, ...opened });
}

/** What was proved and needs no sync afterwards. */
export async function closeRepair({ tools, input }: SnapArray): Promise<void> {
  await addEvidence(tools.host, { kind: 'array-repair-done', run: input.run, resource: input.resource });
}

/** What an earlier attempt of this run has written down before it began to write, also when it is closed since. */
export async function openedByThisRun({ tools, input }: SnapArray): Promise<ArrayRepairOpen | undefined> {
  const found = (await readEvidence(tools.host)).find(
    (entry) =>
      entry.kind === 'array-repair-open' && entry.run === input.run && entry.resource === input.resource,
  );
  return found?.kind === 'array-repair-open' ? found : undefined;
}

/** Whether a repair of just this, onto just this, was begun and not brought to its end. */
export async function wasOpenedOn(
  { tools, input }: SnapArray,
  what: string,
  device: string,
): Promise<boolean> {
  const opened = openRepairs(await readEvidence(tools.host), input.resource);
  return opened.some((one) => one.what === what && one.device === device);
}

/** In words, for whoever is asked whether to sync. */
export async function unfinishedRepairs({ tools, input }: SnapArray): Promise<string[]> {
  const opened = openRepairs(await readEvidence(tools.host), input.resource);
  return opened.map(
    ({ what, run }) => `the repair of ${what} (${run}) has not come to its end: start it anew, or give it up`,
  );
}

/** A proved sync closes all: it asks while one is open. Pure. */
export function openRepairs(evidence: readonly Evidence[], resource: string): ArrayRepairOpen[] {
  let opened: ArrayRepairOpen[] = [];
  for (const entry of evidence) {
    if (!('resource' in entry) || entry.resource !== resource) continue;
    if (entry.kind === 'array-repair-open') opened.push(entry);
    if (entry.kind === 'array-repair-done') {
      // What an earlier run had begun there, this one has brought to its end.
      const done = opened.find(({ run }) => run === entry.run);
      opened = opened.filter(({ what, device }) => what !== done?.what || device !== done.device);
    }
    if (entry.kind === 'array-synced') opened = [];
  }
  return opened;
}
