import type { Evidence } from '../host/evidence.js';

/** When the newest proved sync of an array began; 0 when there was none. Pure. */
export function lastSyncMs(evidence: readonly Evidence[], resource: string): number {
  const synced = evidence.findLast((entry) => entry.kind === 'array-synced' && entry.resource === resource);
  return synced?.kind === 'array-synced' ? Date.parse(synced.restorePoint) : 0;
}
