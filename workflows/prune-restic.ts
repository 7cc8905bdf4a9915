import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { JobInput, RunResult, Source } from '../contracts/jobs.js';
import type { PruneReport, StoreStepInput } from '../contracts/retention.js';
import { askHost, heavyOnHost } from './steps/on-host.js';
import { onStores } from './steps/on-stores.js';
import type { Report } from './steps/report.js';
import { runJob } from './steps/run-job.js';

/** Applies a job's retention to its stores. */
export const pruneRestic = (input: JobInput): Promise<RunResult> => runJob(input, prune);

function prune(input: JobInput, report: Report): Promise<RunResult> {
  const { job, sources, limits } = input;
  const host = sources[0]?.host ?? '';
  const elsewhere = sources.filter((source) => source.host !== host);
  return onStores(input, report, {
    removes: true,
    name: (store) => `retention in ${store}`,
    body: async (store) => {
      const run = workflowInfo().workflowId;
      const step = { job, store, run, retryForMs: limits.retryForMs };
      const goodElsewhere = elsewhere.length > 0 ? await askForGood(elsewhere, step) : undefined;
      const steps = heavyOnHost(host, limits, `apply the retention of ${job} to ${store}`);
      return steps.resticPrune({ ...step, goodElsewhere });
    },
    describe,
  });
}

/** The evidence of a copy lies on the host that made it. Of a host that is away nothing is known, and nothing is removed. */
async function askForGood(sources: Source[], input: StoreStepInput): Promise<Record<string, string[]>> {
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
