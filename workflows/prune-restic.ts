import { workflowInfo } from '@temporalio/workflow';
import type { JobInput, PruneReport, RunResult } from '../contracts/jobs.js';
import { storeLease, storeReadLease } from '../contracts/names.js';
import { each } from './steps/each.js';
import { withLeases } from './steps/lease.js';
import { heavyOnHost } from './steps/on-host.js';
import { openReport, type Report } from './steps/report.js';
import { endRun } from './steps/run.js';

/** Applies a job's retention to its stores, one after the other, while nobody else writes to or restores from them. */
export async function pruneRestic(input: JobInput): Promise<RunResult> {
  const report = openReport();
  const leases = input.stores.flatMap((store) => [storeLease(store), storeReadLease(store)]);
  return endRun(report, () =>
    withLeases(leases, report, async () =>
      summarise(await each(input.stores, (store) => prune(store, input, report))),
    ),
  );
}

async function prune(
  store: string,
  { job, sources, limits }: JobInput,
  report: Report,
): Promise<PruneReport> {
  const host = sources[0]?.host ?? '';
  const name = `retention in ${store}`;
  const steps = heavyOnHost(host, limits, `apply the retention of ${job} to ${store}`);
  const input = { job, store, resource: '', run: workflowInfo().workflowId, retryForMs: limits.retryForMs };
  const pruned = await report.watch(name, () => steps.resticPrune(input));
  report.step(name, pruned.warnings.length > 0 ? 'warned' : 'done', describe(pruned));
  return pruned;
}

const describe = ({ kept, removed }: PruneReport): string => `${removed} copies removed, ${kept} kept`;

function summarise(pruned: PruneReport[]): RunResult {
  const warnings = pruned.flatMap(({ store, warnings }) => warnings.map((text) => `${store}: ${text}`));
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    copies: [],
    summary: pruned.map((report) => `${report.store}: ${describe(report)}`).join('; '),
    warnings: warnings.slice(0, 20),
  };
}
