import type { ProofState } from '../../contracts/copies.js';
import type { Evidence } from '../host/evidence.js';
import type { Snapshot } from './parse.js';

/** What this host knows of copies, by their ids. These are unique over all stores: a rescue does not know the store's name. */
export interface Known {
  refused: ReadonlySet<string>;
  /** Restore points, ISO 8601 UTC: of frozen sources they are older than the snapshot that restic made. */
  proved: ReadonlyMap<string, string>;
}

export function knownOf(evidence: readonly Evidence[]): Known {
  const refused = new Set<string>();
  const proved = new Map<string, string>();
  for (const entry of evidence) {
    if (entry.kind === 'copy-refused') refused.add(entry.snapshot);
    if (entry.kind === 'restore' && !proved.has(entry.report.snapshot))
      proved.set(entry.report.snapshot, entry.report.restorePoint);
    if (entry.kind === 'copy') proved.set(entry.snapshot, entry.restorePoint);
  }
  return { refused, proved };
}

/** The moment whose state a copy holds, ISO 8601 UTC; where nothing is known of it, that of its making. */
export const pointOf = ({ proved }: Pick<Known, 'proved'>, { id, time }: Snapshot): string =>
  proved.get(id) ?? new Date(time).toISOString();

/** Only the host that made a copy would know that it was proved. */
export function proofOf({ refused, proved }: Known, { id, hostname }: Snapshot, host: string): ProofState {
  if (refused.has(id)) return 'refused';
  if (proved.has(id)) return 'proved';
  return hostname === host ? 'not proved' : 'unknown';
}
