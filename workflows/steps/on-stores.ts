import { patched } from '@temporalio/workflow';
import type { JobInput, RunResult } from '../../contracts/jobs.js';
import { copiesLeases, storeLease, storeReadLease } from '../../contracts/names.js';
import { sideBySide } from './each.js';
import { withLeasesAtOnce, withLeasesToTheEnd } from './lease.js';
import type { Report } from './report.js';

/** What is done to a store as a whole. */
export interface StoreWork<R> {
  /** Copies may be removed: it waits for every restore that is open, also for one that waits for its yes. */
  removes?: true;
  /** The line in the table of steps. */
  name(store: string): string;
  body(store: string): Promise<R>;
  /** What came of it, in a few words. */
  describe(result: R): string;
  /** What else the run hands back. */
  more?(results: R[]): Partial<RunResult>;
}

/** Works on all stores of a job at the same time, while nobody else writes to or restores from them: one that is away does not keep the others waiting. */
export async function onStores<R extends { store: string; warnings: string[] }>(
  { stores }: JobInput,
  report: Report,
  { removes, name, body, describe, more }: StoreWork<R>,
): Promise<RunResult> {
  const leases = stores.flatMap((store) => [storeLease(store), storeReadLease(store)]);
  const work = async (store: string): Promise<R> => {
    const result = await report.watch(name(store), () => body(store));
    report.step(name(store), result.warnings.length > 0 ? 'warned' : 'done', describe(result));
    return result;
  };
  const all = async (): Promise<RunResult> => {
    const results = await sideBySide(stores, work);
    const warnings = results.flatMap((result) => result.warnings.map((text) => `${result.store}: ${text}`));
    return {
      outcome: warnings.length > 0 ? 'warnings' : 'ok',
      copies: [],
      summary: results.map((result) => `${result.store}: ${describe(result)}`).join('; '),
      warnings: warnings.slice(0, 20),
      ...more?.(results),
    };
  };
  if (!patched('2026-11-open-restores-hold-retention')) return withLeasesToTheEnd(leases, report, all);
  return withLeasesAtOnce([...leases, ...(removes ? stores.flatMap(copiesLeases) : [])], report, all);
}
