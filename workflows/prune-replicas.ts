import { workflowInfo } from '@temporalio/workflow';
import type { JobInput, RunResult, Source } from '../contracts/jobs.js';
import { replicationLease } from '../contracts/names.js';
import type { ReplicaRetentionInput } from '../contracts/replication.js';
import type { RetentionReport } from '../contracts/zfs.js';
import { reasonsOf } from './prune-snapshots.js';
import { retentionWarnings } from './snapshot-datasets.js';
import { askApproval } from './steps/approve.js';
import { each } from './steps/each.js';
import { withLeases } from './steps/lease.js';
import { onHost } from './steps/on-host.js';
import type { Report } from './steps/report.js';
import { runJob } from './steps/run-job.js';

/** How long a plan that would remove much waits for a yes. Milliseconds. */
const approveWithinMs = 24 * 3_600_000;

/** Applies a replication's retention to its targets; what would remove unusually much waits for a human's yes. */
export const pruneReplicas = (job: JobInput): Promise<RunResult> =>
  runJob(job, async (input, report) => {
    const pairs = input.sources.flatMap((source) => input.stores.map((store) => ({ source, store })));
    const done = await each(pairs, ({ source, store }) => prune(source, store, input, report));
    const warnings = done.flatMap((one) => one.warnings);
    return {
      outcome: warnings.length > 0 ? 'warnings' : 'ok',
      copies: [],
      summary: done.map(({ note }) => note).join('; '),
      warnings: warnings.slice(0, 20),
    };
  });

interface Pruned {
  note: string;
  warnings: string[];
}

async function prune(source: Source, store: string, input: JobInput, report: Report): Promise<Pruned> {
  const pair = `${source.resource} → ${store}`;
  const name = `retention of ${pair}`;
  const lease = replicationLease(source.resource, store);
  const retain = (digest?: string): Promise<RetentionReport> =>
    withLeases([lease], report, () =>
      report.watch(name, () => retainOnce(source, store, input, { round: 0, ...(digest && { digest }) })),
    );
  const first = await retain();
  const done = first.asks ? await approved(first.asks, { name, report, retain }) : first;
  const note = `${pair}: ${done.removed} snapshots removed, ${done.kept} kept${reasonsOf(done)}`;
  const warnings = retentionWarnings(input.job, done).map((text) => `${pair}: ${text}`);
  report.step(name, warnings.length > 0 ? 'warned' : 'done', note);
  return { note, warnings };
}

/** Nothing is held while a human thinks: replication goes on, and a plan that changed meanwhile is not the one that was approved. */
async function approved(
  { digest, what, removes }: NonNullable<RetentionReport['asks']>,
  {
    name,
    report,
    retain,
  }: { name: string; report: Report; retain: (digest: string) => Promise<RetentionReport> },
): Promise<RetentionReport> {
  const question = `remove ${removes} snapshots (${what})`;
  report.step(name, 'waiting', question);
  await askApproval({ digest, what: question, withinMs: approveWithinMs }, report);
  return retain(digest);
}

/** One resource in one store. */
export function retainOnce(
  source: Source,
  store: string,
  { job, limits }: JobInput,
  more: Pick<ReplicaRetentionInput, 'round' | 'digest'>,
): Promise<RetentionReport> {
  const { resource, host } = source;
  const steps = onHost(host, limits, `apply the retention of ${job} to ${resource} in ${store}`);
  const run = workflowInfo().workflowId;
  return steps.zfsRetainReplicas({ job, run, resource, store, retryForMs: limits.retryForMs, ...more });
}
