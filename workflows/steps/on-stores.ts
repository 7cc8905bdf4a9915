import { patched } from '@temporalio/workflow';
import type { JobInput, RunResult } from '../../contracts/jobs.js';
import { copiesLeases, storeLease, storeReadLease } from '../../contracts/names.js';
import { resultsOf, sideBySide } from './each.js';
import { eachStoreByItself, withLeasesApart, withLeasesAtOnce, withLeasesToTheEnd } from './lease.js';
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

/** Works on all stores of a job at the same time, on each while nobody else writes to or restores from it: one that is away keeps nobody waiting for the others. */
export async function onStores<R extends { store: string; warnings: string[] }>(
  { stores }: JobInput,
  report: Report,
  { removes, name, body, describe, more }: StoreWork<R>,
): Promise<RunResult> {
  const work = async (store: string): Promise<R> => {
    const result = await report.watch(name(store), () => body(store));
    report.step(name(store), result.warnings.length > 0 ? 'warned' : 'done', describe(result));
    return result;
  };
  const results = await withLeasesOn(stores, removes === true, report, work);
  const warnings = results.flatMap((result) => result.warnings.map((text) => `${result.store}: ${text}`));
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    copies: [],
    summary: results.map((result) => `${result.store}: ${describe(result)}`).join('; '),
    warnings: warnings.slice(0, 20),
    ...more?.(results),
  };
}

/** Runs that were started before took the leases of all stores and held them until the last one was done; with one store that is the same. */
async function withLeasesOn<R>(
  stores: string[],
  removes: boolean,
  report: Report,
  work: (store: string) => Promise<R>,
): Promise<R[]> {
  const whole = (store: string): string[] => [storeLease(store), storeReadLease(store)];
  const leasesOf = (store: string): string[] => [...whole(store), ...(removes ? copiesLeases(store) : [])];
  if (stores.length > 1 && patched(eachStoreByItself)) {
    const branches = stores.map((store) => ({ name: store, leases: leasesOf(store) }));
    return resultsOf(await withLeasesApart(branches, report, work));
  }
  const all = (): Promise<R[]> => sideBySide(stores, work);
  if (!patched('2026-11-open-restores-hold-retention'))
    return withLeasesToTheEnd(stores.flatMap(whole), report, all);
  return withLeasesAtOnce(stores.flatMap(leasesOf), report, all);
}
