import { condition, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { InitialiseStoreInput, ReadRunLogInput } from '../../contracts/by-hand.js';
import type {
  Copy,
  JobInput,
  RestoreInput,
  RestorePlan,
  RestoreResult,
  RunResult,
} from '../../contracts/jobs.js';
import { hostQueue } from '../../contracts/names.js';
import { askApproval } from '../../workflows/steps/approve.js';
import { failure } from '../../workflows/steps/failure.js';
import { openReport } from '../../workflows/steps/report.js';
import { endRun } from '../../workflows/steps/run.js';

/** The procedures' names with invented insides: what a job does is told by its name. No tool, no host. */

interface Tool {
  useTool(job: string): Promise<void>;
}

const steps = (host: string) =>
  proxyActivities<Tool>({
    taskQueue: hostQueue(host),
    // Longer than the second between two looks of the follower.
    retry: { initialInterval: '3s' },
    startToCloseTimeout: '1m',
    heartbeatTimeout: '10s',
  });

const copyOf = (job: string): Copy => ({
  resource: 'photos',
  store: 'disk',
  snapshot: 'abcdef0123456789',
  restorePoint: workflowInfo().startTime.toISOString(),
  files: 3,
  bytes: 1_500_000,
  bytesAdded: 1000,
  warnings: job === 'warns' ? ['a file could not be read'] : [],
});

export async function backupRestic({ job, sources }: JobInput): Promise<RunResult> {
  const report = openReport({});
  const host = sources[0]?.host ?? '';
  return endRun(report, async () => {
    if (job === 'implausible')
      throw failure('HF_COPY_IMPLAUSIBLE', 'The new copy holds 3 files, the last one 900');
    if (job === 'damaged')
      throw failure('HF_STORE_DAMAGED', 'The check found damage in the repository "disk"');
    await report.watch('copy', () => steps(host).useTool(job));
    if (job === 'slow') await condition(() => false);
    report.step('copy', 'done', '3 files');
    const copy = copyOf(job);
    const outcome = copy.warnings.length > 0 ? 'warnings' : 'ok';
    return { outcome, copies: [copy], summary: '3 files copied', warnings: copy.warnings };
  });
}

export async function initialiseStore({ store }: InitialiseStoreInput): Promise<RunResult> {
  return endRun(openReport({}), async () => {
    if (store === 'there')
      throw failure('HF_STORE_EXISTS', `The store "${store}" holds a repository already`);
    return { outcome: 'ok', copies: [], summary: `${store} created`, warnings: [] };
  });
}

const planOf = ({ target, paths }: RestoreInput): RestorePlan => ({
  snapshot: 'abcdef0123456789',
  restorePoint: '2026-11-19T03:30:00.000Z',
  target,
  paths,
  files: 3,
  bytes: 1_500_000,
  bytesFree: 10_000_000,
  resumes: false,
  digest: 'a1b2c3',
});

export async function restoreRestic(input: RestoreInput): Promise<RestoreResult> {
  const report = openReport({});
  return endRun(report, async () => {
    if (input.copy) throw failure('HF_COPY_NOT_FOUND', `There is no copy ${input.copy}`);
    const plan = planOf(input);
    report.show(plan);
    const what = `restore 3 files to ${plan.target}`;
    if (!input.approved) await askApproval({ digest: plan.digest, what, withinMs: 60_000 }, report);
    const { snapshot, restorePoint, target, files, bytes } = plan;
    const verified = ['content', 'owner'];
    const done = {
      snapshot,
      restorePoint,
      target,
      files,
      bytes,
      verified,
      notVerified: ['holes'],
      warnings: [],
    };
    return { outcome: 'ok', report: done, summary: '3 files restored', warnings: [] };
  });
}

export async function readRunLog({ run, lines }: ReadRunLogInput): Promise<string[]> {
  return [`${lines} lines of ${run}`];
}
