import type { JobInput } from '../../contracts/jobs.js';
import type { RetentionReport, SnapshotStepInput } from '../../contracts/zfs.js';
import { isRunning } from './alive.js';
import { onHost } from './on-host.js';
import type { Report } from './report.js';

/** Applies the retention of a job's snapshots. What a run of replication holds is let go only when that run has ended, which only the engine knows. */
export async function retainSnapshots(
  { job, limits }: Pick<JobInput, 'job' | 'limits'>,
  host: string,
  step: SnapshotStepInput & { digest?: string },
  report: Report,
): Promise<RetentionReport> {
  const steps = onHost(host, limits, `apply the retention of ${job}`);
  const first = await report.watch('retention', () => steps.zfsRetainSnapshots(step));
  const endedRuns: string[] = [];
  for (const run of first.holdingRuns ?? []) if (!(await isRunning(run))) endedRuns.push(run);
  if (endedRuns.length === 0) return first;
  const more = await report.watch('retention', () => steps.zfsRetainSnapshots({ ...step, endedRuns }));
  // What the first has seen once nobody sees again: snapshots that were to stay and are gone.
  const warnings = [...new Set([...more.warnings, ...(first.remarks ?? [])])];
  return { ...more, removed: first.removed + more.removed, warnings };
}
