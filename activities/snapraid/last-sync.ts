import type { Evidence } from '../host/evidence.js';
import type { ArraySynced } from '../host/evidence-array.js';

/** The newest proved sync of an array. Pure. */
export function lastSync(evidence: readonly Evidence[], resource: string): ArraySynced | undefined {
  const synced = evidence.findLast((entry) => entry.kind === 'array-synced' && entry.resource === resource);
  return synced?.kind === 'array-synced' ? synced : undefined;
}

/** When it began; 0 when there was none. */
export function lastSyncMs(evidence: readonly Evidence[], resource: string): number {
  const synced = lastSync(evidence, resource);
  return synced === undefined ? 0 : Date.parse(synced.restorePoint);
}
