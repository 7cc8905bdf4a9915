import type { JobInput, RunResult } from '../contracts/jobs.js';
import { snapshotLease } from '../contracts/names.js';
import type { RetentionReport } from '../contracts/zfs.js';
import { hostOf, retentionWarnings, stepInput } from './snapshot-datasets.js';
import { askApproval } from './steps/approve.js';
import { withLeases } from './steps/lease.js';
import type { Report } from './steps/report.js';
import { retainSnapshots } from './steps/retain.js';
import { runJob } from './steps/run-job.js';

/** How long a plan that would remove much waits for a yes. Milliseconds. */
const approveWithinMs = 24 * 3_600_000;

/** Applies the retention of a job's snapshots; what would remove unusually much waits for a human's yes. */
export const pruneSnapshots = (job: JobInput): Promise<RunResult> =>
  runJob(job, async (input, report) => {
    const first = await withLeases([snapshotLease(input.job)], report, () => retain(input, report));
    const done = first.asks ? await approved(input, report, first.asks) : first;
    const warnings = retentionWarnings(input.job, done);
    const note = `${done.removed} snapshots removed, ${done.kept} kept${reasonsOf(done)}`;
    report.step('retention', warnings.length > 0 ? 'warned' : 'done', note);
    return {
      outcome: warnings.length > 0 ? 'warnings' : 'ok',
      copies: [],
      summary: note,
      warnings: warnings.slice(0, 20),
    };
  });

const retain = (input: JobInput, report: Report, digest?: string): Promise<RetentionReport> =>
  retainSnapshots(
    input,
    hostOf(input),
    { ...stepInput(input), ...(digest !== undefined && { digest }) },
    report,
  );

/** Nothing is held while a human thinks: hourly snapshots go on, and a plan that changed meanwhile is not the one that was approved. */
async function approved(
  input: JobInput,
  report: Report,
  { digest, what, removes }: NonNullable<RetentionReport['asks']>,
): Promise<RetentionReport> {
  const question = `remove ${removes} snapshots (${what})`;
  report.step('retention', 'waiting', question);
  await askApproval({ digest, what: question, withinMs: approveWithinMs }, report);
  return withLeases([snapshotLease(input.job)], report, () => retain(input, report, digest));
}

/** Which rule keeps how many. */
export const reasonsOf = ({ reasons }: RetentionReport): string => {
  const counts = Object.entries(reasons).map(([reason, count]) => `${reason} ${count}`);
  return counts.length > 0 ? ` (${counts.join(', ')})` : '';
};
