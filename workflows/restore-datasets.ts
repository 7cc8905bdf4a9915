import { workflowInfo } from '@temporalio/workflow';
import type { RestorePlan, RestoreReport, RestoreResult } from '../contracts/jobs.js';
import { replicationLease, resourceLease, snapshotLease } from '../contracts/names.js';
import type { DatasetRestoreInput, DatasetRestoreStepInput } from '../contracts/zfs-restore.js';
import { askApproval } from './steps/approve.js';
import { failure } from './steps/failure.js';
import { withLeases } from './steps/lease.js';
import { onHost } from './steps/on-host.js';
import { openReport, type Report } from './steps/report.js';
import { endRun } from './steps/run.js';
import { type Sent, sendUntilProved } from './steps/send.js';
import { withUndo } from './steps/undo.js';

const approveWithinMs = 60 * 60 * 1000;

/** Brings datasets back from snapshots and replicas: shows what it would do, waits for a yes, and proves what it did. */
export async function restoreDatasets(input: DatasetRestoreInput): Promise<RestoreResult> {
  const report = openReport(input);
  const hows = { files, clone, 'send-back': sendBack, 'roll-back': rollBack } as const;
  return endRun(report, () => hows[input.how](input, report));
}

/** Paths out of a snapshot, which is held and mounted until everything was compared with it. */
async function files(input: DatasetRestoreInput, report: Report): Promise<RestoreResult> {
  const { resource, host, limits } = input;
  const step = stepInput(input);
  return withUndo(async (undo) => {
    const steps = onHost(host, limits, `restore files of ${resource}`);
    undo.register(resource, () => steps.hostPutBack({ run: step.run, what: `zfs-files:${resource}` }));
    const opened = await report.watch('make the snapshot ready', () => steps.zfsOpenFiles(step));
    report.step('make the snapshot ready', 'done', `@${opened.snapshot} of ${opened.datasets} datasets`);
    const plan = await report.watch('plan', () => steps.zfsPlanFiles(step));
    report.step('plan', 'done', `${plan.files} files, ${plan.bytes} bytes`);
    await approve(plan, `restore ${plan.files} files of ${resource} to ${plan.target}`, input, report);
    const name = 'restore and compare';
    const done = await report.watch(name, () => steps.zfsRestoreFiles({ ...step, digest: plan.digest }));
    const { warnings } = done;
    report.step(name, warnings.length > 0 ? 'warned' : 'done', `${done.files} files`);
    const summary = `${done.files} files restored to ${done.target} and compared with @${done.snapshot}`;
    return { outcome: warnings.length > 0 ? 'warnings' : 'ok', report: done, summary, warnings };
  });
}

/** A snapshot as datasets of their own, beside the original. */
async function clone(input: DatasetRestoreInput, report: Report): Promise<RestoreResult> {
  const { resource, host, limits, target } = input;
  const step = stepInput(input);
  const steps = onHost(host, limits, `clone ${resource} to ${target}`);
  const plan = await report.watch('plan', () => steps.zfsPlanClone(step));
  report.step('plan', 'done', `${plan.files} datasets of @${plan.snapshot}`);
  await approve(plan, `clone ${plan.files} datasets to ${plan.target}`, input, report);
  const done = await report.watch('clone', () => steps.zfsMakeClones({ ...step, digest: plan.digest }));
  report.step('clone', 'done', `${done.files} datasets`);
  const summary = [
    `${done.files} datasets of @${done.snapshot} are cloned to ${done.target}, not mounted`,
    `To use them: zfs set mountpoint=PLACE '${target}'. To remove them again: zfs destroy -r '${target}'`,
  ].join('\n');
  return { outcome: 'ok', report: done, summary, warnings: [] };
}

/** The resource as it was, in its own place. What was there comes back when it does not come to its end, and on request. */
async function rollBack(input: DatasetRestoreInput, report: Report): Promise<RestoreResult> {
  const { resource, host, limits, replicatedTo = [] } = input;
  const step = stepInput(input);
  const steps = onHost(host, limits, `roll ${resource} back`);
  const leases = [
    resourceLease(resource),
    ...input.snapshotJobs.map(snapshotLease),
    ...replicatedTo.map((store) => replicationLease(resource, store)),
  ];
  if (input.undo !== undefined)
    return withLeases(leases, report, async () => {
      const done = await report.watch('bring back', () => steps.zfsUndoInPlace(step));
      report.step('bring back', 'done', `what was rolled back lies in ${done.movedAside}`);
      const summary = `${done.target} is as it was before ${input.undo}; what was rolled back lies in ${done.movedAside}`;
      return { outcome: 'ok', report: done, summary, warnings: [] };
    });
  const plan = await report.watch('plan', () => steps.zfsPlanRestoreInPlace(step));
  report.step('plan', 'done', `${plan.files} datasets to @${plan.snapshot}`);
  await approve(plan, `roll ${plan.files} datasets of ${resource} back to @${plan.snapshot}`, input, report);
  return withLeases(leases, report, () =>
    withUndo(async (undo) => {
      let isDone = false;
      undo.register(resource, async () => {
        if (!isDone) await steps.hostPutBack({ run: step.run, what: `zfs-roll-back:${resource}` });
      });
      const done = await report.watch('roll back', () =>
        steps.zfsRestoreInPlace({ ...step, digest: plan.digest }),
      );
      isDone = true;
      report.step('roll back', 'done', `what was there lies in ${done.movedAside}`);
      const { restorePoint } = plan;
      const summary = [
        `${done.files} datasets of ${done.target} are as of @${done.snapshot}; what was there lies in ${done.movedAside} and is never removed by us`,
        `Back: holdfast restore ${input.job}/${resource} --undo ${step.run}`,
      ].join('\n');
      return { outcome: 'ok', report: { ...done, restorePoint }, summary, warnings: [] };
    }),
  );
}

/** The whole replica to a dataset that is new, or continues an older state of it; then replication goes on from there. */
async function sendBack(input: DatasetRestoreInput, report: Report): Promise<RestoreResult> {
  const { resource, store = '', host, target, limits, parallel } = input;
  const step = stepInput(input);
  const steps = onHost(host, limits, `send ${resource} back to ${target}`);
  const plan = await report.watch('plan', () => steps.zfsPlanSendBack(step));
  report.step('plan', 'done', `${plan.files} datasets, at most ${plan.bytes} bytes`);
  await approve(plan, `send ${plan.files} datasets back to ${plan.target}`, input, report);
  // Neither replication nor snapshots of the resource meanwhile: both would change what is being compared.
  const leases = [replicationLease(resource, store), ...input.snapshotJobs.map(snapshotLease)];
  return withLeases(leases, report, async () => {
    await checkUnchanged(plan, () => steps.zfsPlanSendBack(step), report);
    const { job, run, retryForMs } = step;
    const back = { job, run, resource, store, retryForMs, sendBack: { dataset: target } };
    const options = { name: `${store} → ${plan.target}`, host, limits, parallel, urgent: true } as const;
    const sent = await sendUntilProved(back, options, report);
    requireWhole(sent, options.name, report);
    const finished = await report.watch('give back properties', () => steps.zfsFinishSendBack(step));
    report.step('give back properties', 'done');
    const anchored = await report.watch('mark the base of replication', () => steps.zfsReanchor(step));
    report.step('mark the base of replication', 'done', anchored.notes.join('; '));
    const warnings = [...sent.look.warnings, ...finished.warnings, ...anchored.warnings];
    return resultOf(plan, sent, { notes: [...finished.notes, ...anchored.notes], warnings });
  });
}

/** The plan is shown; without a yes to just it the run ends here. */
async function approve(
  plan: RestorePlan,
  what: string,
  input: DatasetRestoreInput,
  report: Report,
): Promise<void> {
  report.show(plan);
  if (input.approved) return;
  const { digest } = plan;
  await askApproval({ digest, what, withinMs: input.approveWithinMs ?? approveWithinMs }, report);
}

/** Between question and answer the pools may have changed. */
async function checkUnchanged(
  plan: RestorePlan,
  again: () => Promise<RestorePlan>,
  report: Report,
): Promise<void> {
  const now = await report.watch('look again', again);
  report.step('look again', 'done');
  if (now.digest === plan.digest) return;
  const message = `What would be done to ${plan.target} is no longer what was approved. Nothing was changed; start it again and look at the new plan`;
  throw failure('HF_NOT_APPROVED', message);
}

/** What did not arrive makes the run fail before anything half restored becomes an ordinary dataset. */
function requireWhole({ look }: Sent, name: string, report: Report): void {
  const { stopped, stoppedCount, behind, behindCount, proved } = look;
  if (stoppedCount === 0 && behindCount === 0 && (proved?.datasets ?? 0) > 0) {
    report.step(name, 'done', `${proved?.datasets} datasets on both sides`);
    return;
  }
  const words = `${name}: ${stoppedCount + behindCount} datasets are not back, ${proved?.datasets ?? 0} are proved. ${[...stopped, ...behind].join('; ')}`;
  report.step(name, 'failed', words.slice(0, 1000));
  throw failure('HF_RESTORE_UNFINISHED', words.slice(0, 600));
}

function resultOf(
  plan: RestorePlan,
  { look, bytes }: Sent,
  { notes, warnings }: { notes: string[]; warnings: string[] },
): RestoreResult {
  const { snapshot, restorePoint, target } = plan;
  const datasets = look.proved?.datasets ?? 0;
  const report: RestoreReport = {
    snapshot,
    restorePoint: look.proved?.restorePoint ?? restorePoint,
    target,
    files: datasets,
    bytes,
    verified: [`the newest snapshot of ${datasets} datasets, by guid, on both sides`],
    notVerified: [],
    warnings,
  };
  const summary = [`${datasets} datasets are back in ${target}`, ...notes].join('\n');
  return { outcome: warnings.length > 0 ? 'warnings' : 'ok', report, summary, warnings };
}

/** What stays behind is for the workflow alone. */
const stepInput = ({
  host,
  limits,
  approved,
  approveWithinMs,
  snapshotJobs,
  parallel,
  notify,
  ...asked
}: DatasetRestoreInput): DatasetRestoreStepInput => ({
  ...asked,
  run: workflowInfo().workflowId,
  retryForMs: limits.retryForMs,
});
