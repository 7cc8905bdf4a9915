import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { JobInput, RunResult } from '../contracts/jobs.js';
import { snapshotLease } from '../contracts/names.js';
import type { RetentionReport, SnapshotReport, SnapshotStepInput } from '../contracts/zfs.js';
import { diagnose, failure } from './steps/failure.js';
import { withHooks } from './steps/hooks.js';
import { withLeases } from './steps/lease.js';
import { onHost } from './steps/on-host.js';
import type { Report } from './steps/report.js';
import { retainSnapshots } from './steps/retain.js';
import { runJob } from './steps/run-job.js';

/** With an application stopped for the moment of the snapshot, a host that is away is not waited for. Milliseconds. */
const patienceWithHooksMs = 60_000;

/** Takes the snapshots of a job's datasets in one moment, then removes those that its rules no longer keep. */
export const snapshotDatasets = (job: JobInput): Promise<RunResult> =>
  runJob(job, (input, report) =>
    withLeases([snapshotLease(input.job)], report, async () => {
      const taken = await withHooks(input, report, () => take(input, report)).catch(async (error) => {
        const { code, message } = diagnose(error);
        if (code !== 'HF_POOL_FULL') throw error;
        // What retention lets go is what such a pool waits for.
        const { note, warnings } = await retain(input, report);
        throw failure(code, [message, ...warnings, note].filter(Boolean).join('. ').slice(0, 1000));
      });
      const retention = await retain(input, report);
      return summarise(taken.result, [...taken.warnings, ...retention.warnings], retention.note);
    }),
  );

async function take(input: JobInput, report: Report): Promise<SnapshotReport[]> {
  const step = stepInput(input);
  const retryForMs = input.hooks?.includes('before') ? patienceWithHooksMs : step.retryForMs;
  const steps = onHost(hostOf(input), input.limits, `take the snapshots of ${input.job}`);
  const reports = await report.watch('snapshots', () => steps.zfsTakeSnapshots({ ...step, retryForMs }));
  const warned = reports.some(({ warnings }) => warnings.length > 0);
  report.step('snapshots', warned ? 'warned' : 'done', reports.map(describe).join('; '));
  return reports;
}

interface Retained {
  note: string;
  warnings: string[];
}

/** The snapshots are there whatever becomes of the old ones: what goes wrong here is a warning. */
async function retain(input: JobInput, report: Report): Promise<Retained> {
  try {
    const done = await retainSnapshots(input, hostOf(input), stepInput(input), report);
    const warnings = retentionWarnings(input.job, done);
    const note = done.everything ? 'everything is kept' : `${done.removed} removed, ${done.kept} kept`;
    report.step('retention', warnings.length > 0 ? 'warned' : 'done', note);
    return { note, warnings };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { note: '', warnings: [`Nothing was removed: ${diagnose(error).message}`] };
  }
}

/** Why less was removed than the rules say. */
export function retentionWarnings(job: string, { refused, asks, warnings }: RetentionReport): string[] {
  const held = asks && `${asks.what}: see and approve it with "holdfast run ${job} --only prune"`;
  const why = refused ?? held;
  return [...(why === undefined ? [] : [`Nothing was removed: ${why}`]), ...warnings];
}

export const hostOf = ({ sources }: JobInput): string => sources[0]?.host ?? '';

export const stepInput = ({ job, sources, limits }: JobInput): SnapshotStepInput => ({
  job,
  run: workflowInfo().workflowId,
  resources: sources.map(({ resource }) => resource),
  retryForMs: limits.retryForMs,
});

const describe = ({ resource, snapshot, datasets }: SnapshotReport): string =>
  `${resource}@${snapshot} of ${datasets} ${datasets === 1 ? 'dataset' : 'datasets'}`;

function summarise(reports: SnapshotReport[], other: string[], retention: string): RunResult {
  const own = reports.flatMap(({ resource, warnings }) => warnings.map((text) => `${resource}: ${text}`));
  const warnings = [...own, ...other];
  const notes = reports.flatMap(({ resource, notes: said }) => said.map((text) => `${resource}: ${text}`));
  const [restorePoint] = reports.map((report) => report.restorePoint).sort();
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    copies: [],
    summary: [...reports.map(describe), ...(retention ? [retention] : []), ...notes]
      .join('; ')
      .slice(0, 2000),
    warnings: warnings.slice(0, 20),
    ...(restorePoint !== undefined && { restorePoint }),
  };
}
