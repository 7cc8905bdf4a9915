import { isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import type { JobInput, PruneReport, RunResult, Source, StepInput } from '../contracts/jobs.js';
import { storeLease, storeReadLease } from '../contracts/names.js';
import { eachStore } from './steps/each-store.js';
import { withLeases } from './steps/lease.js';
import { askHost, heavyOnHost } from './steps/on-host.js';
import { openReport, type Report } from './steps/report.js';
import { endRun } from './steps/run.js';

/** Applies a job's retention to its stores, one after the other, while nobody else writes to or restores from them. */
export async function pruneRestic(input: JobInput): Promise<RunResult> {
  const report = openReport();
  const leases = input.stores.flatMap((store) => [storeLease(store), storeReadLease(store)]);
  return endRun(report, () =>
    withLeases(leases, report, async () =>
      summarise(await eachStore(input.stores, (store) => prune(store, input, report))),
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
  const pruned = await report.watch(name, async () => {
    const elsewhere = sources.filter((source) => source.host !== host);
    if (elsewhere.length === 0 || !patched('good-copies-elsewhere')) return steps.resticPrune(input);
    return steps.resticPrune({ ...input, goodElsewhere: await askForGood(elsewhere, input) });
  });
  report.step(name, pruned.warnings.length > 0 ? 'warned' : 'done', describe(pruned));
  return pruned;
}

/** The evidence of a copy lies on the host that made it. Of a host that is away nothing is known, and nothing is removed. */
async function askForGood(sources: Source[], input: StepInput): Promise<Record<string, string[]>> {
  const good: Record<string, string[]> = {};
  for (const { resource, host } of sources) {
    try {
      const { resticGoodCopies } = askHost(host, `which copies of ${resource} are good`);
      good[resource] = await resticGoodCopies({ ...input, resource });
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }
  return good;
}

function describe({ kept, removed, reasons = {}, appendOnly }: PruneReport): string {
  if (appendOnly) return 'append-only: nothing is removed';
  const counts = Object.entries(reasons).map(([reason, count]) => `${reason} ${count}`);
  return `${removed} copies removed, ${kept} kept${counts.length > 0 ? ` (${counts.join(', ')})` : ''}`;
}

function summarise(pruned: PruneReport[]): RunResult {
  const warnings = pruned.flatMap(({ store, warnings }) => warnings.map((text) => `${store}: ${text}`));
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    copies: [],
    summary: pruned.map((report) => `${report.store}: ${describe(report)}`).join('; '),
    warnings: warnings.slice(0, 20),
  };
}
