import { workflowInfo } from '@temporalio/workflow';
import type {
  RestoreInput,
  RestorePlan,
  RestoreReport,
  RestoreResult,
  RestoreStepInput,
} from '../contracts/jobs.js';
import { storeReadLease } from '../contracts/names.js';
import { askApproval } from './steps/approve.js';
import { withLeases } from './steps/lease.js';
import { onHost } from './steps/on-host.js';
import { openReport, type Report } from './steps/report.js';
import { endRun } from './steps/run.js';

const approveWithinMs = 60 * 60 * 1000;

/** Shows what a restore would do, waits for a yes, restores beside, verifies, and only then gives the target its files. */
export async function restoreRestic(input: RestoreInput): Promise<RestoreResult> {
  const report = openReport();
  const step = stepInput(input);
  return endRun(report, async () => {
    const plan = await planRestore(step, input, report);
    if (!input.approved) {
      const what = `restore ${plan.files} files of ${input.resource} to ${plan.target}`;
      await askApproval(
        { digest: plan.digest, what, withinMs: input.approveWithinMs ?? approveWithinMs },
        report,
      );
    }
    // Retention of the store waits while a restore is open, so that it cannot remove what is being restored.
    return withLeases([storeReadLease(input.store)], report, () =>
      restore({ ...step, copy: plan.snapshot, at: undefined, digest: plan.digest }, input, report),
    );
  });
}

async function planRestore(
  step: RestoreStepInput,
  { host, limits }: RestoreInput,
  report: Report,
): Promise<RestorePlan> {
  const steps = onHost(host, limits, `plan the restore of ${step.resource} from ${step.store}`);
  const plan = await report.watch('plan', () => steps.resticPlanRestore(step));
  report.step(
    'plan',
    'done',
    `copy ${plan.snapshot.slice(0, 8)} of ${plan.restorePoint}, ${plan.files} files`,
  );
  report.show(plan);
  return plan;
}

async function restore(
  step: RestoreStepInput,
  { host, limits }: RestoreInput,
  report: Report,
): Promise<RestoreResult> {
  const steps = onHost(host, limits, `restore ${step.resource} to ${step.target}`);
  const done = await report.watch('restore and verify', () => steps.resticRestore(step));
  report.step('restore and verify', done.warnings.length > 0 ? 'warned' : 'done', describe(done));
  return {
    outcome: done.warnings.length > 0 ? 'warnings' : 'ok',
    report: done,
    summary: describe(done),
    warnings: done.warnings,
  };
}

const describe = ({ files, target }: RestoreReport): string =>
  `${files} files restored to ${target} and verified`;

const stepInput = ({
  job,
  resource,
  store,
  target,
  paths,
  copy,
  at,
  limits,
}: RestoreInput): RestoreStepInput => ({
  job,
  resource,
  store,
  target,
  paths,
  copy,
  at,
  run: workflowInfo().workflowId,
  retryForMs: limits.retryForMs,
});
