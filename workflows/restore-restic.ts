import { patched, workflowInfo } from '@temporalio/workflow';
import type {
  RestoreInput,
  RestorePlan,
  RestoreReport,
  RestoreResult,
  RestoreStepInput,
} from '../contracts/jobs.js';
import { copiesLeases, resourceLease, storeReadLease } from '../contracts/names.js';
import type { HandedSparseNote } from '../contracts/sparseness.js';
import { askApproval } from './steps/approve.js';
import { withAnyLease, withLeases } from './steps/lease.js';
import { askHost, onHost } from './steps/on-host.js';
import { openReport, type Report } from './steps/report.js';
import { endRun } from './steps/run.js';
import { withUndo } from './steps/undo.js';

const approveWithinMs = 60 * 60 * 1000;

/** Shows what a restore would do, waits for a yes, restores beside, verifies, and only then gives the target its files. */
export async function restoreRestic(input: RestoreInput): Promise<RestoreResult> {
  const report = openReport(input);
  const step = stepInput(input);
  return endRun(report, async () => {
    if (input.undo !== undefined) return undo(step, input, report);
    if (!patched('2026-11-open-restores-hold-retention'))
      return planAskRestore(step, input, report, Promise.resolve(undefined));
    // Retention of the store waits while a restore is open, so that it cannot remove what somebody thinks about; backups and checks do not.
    return withAnyLease(copiesLeases(input.store), report, () =>
      planAskRestore(step, input, report, askForSparse(input)),
    );
  });
}

async function planAskRestore(
  step: RestoreStepInput,
  input: RestoreInput,
  report: Report,
  told: Promise<HandedSparseNote | undefined>,
): Promise<RestoreResult> {
  const plan = await planRestore(step, input, report);
  if (!input.approved) {
    const place = plan.inPlace
      ? `onto ${plan.inPlace.directory}, what is there is moved aside`
      : `to ${plan.target}`;
    const what = `restore ${plan.files} files of ${input.resource} ${place}`;
    await askApproval(
      { digest: plan.digest, what, withinMs: input.approveWithinMs ?? approveWithinMs },
      report,
    );
  }
  // While files are written the repository is locked, for checks as for retention.
  const leases = [storeReadLease(input.store), ...(input.inPlace ? [resourceLease(input.resource)] : [])];
  return withLeases(leases, report, async () => {
    const { digest, snapshot, first } = plan;
    const chosen = { ...step, copy: snapshot, at: undefined, digest, sparse: await told };
    return restore(chosen, input, report, first);
  });
}

/** Which files were sparse is known on the host of the source alone; a restore goes on without, and says so. */
async function askForSparse({
  resource,
  host,
  sourceHost,
}: RestoreInput): Promise<HandedSparseNote | undefined> {
  if (sourceHost === undefined || sourceHost === host) return undefined;
  try {
    const { resticTellSparse } = askHost(sourceHost, `which files of ${resource} were sparse`, '15s');
    return await resticTellSparse({ resource });
  } catch {
    // Also when the run is cancelled: then nobody waits for the answer any more.
    return { host: sourceHost, answered: false };
  }
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
  input: RestoreInput,
  report: Report,
  part: RestorePlan['first'],
): Promise<RestoreResult> {
  const { host, limits } = input;
  const first = part && (await restoreFirst({ ...step, ...part, first: undefined }, input, report));
  const steps = onHost(host, limits, `restore ${step.resource} to ${step.target || 'its own place'}`);
  const beside = await report.watch('restore and verify', () => steps.resticRestore(step));
  report.step('restore and verify', beside.warnings.length > 0 ? 'warned' : 'done', describe(beside));
  const done = input.inPlace ? await takePlace(step, input, report) : beside;
  return resultOf({ ...done, ...(first && { first }) }, step);
}

/** Whole, compared and to be used, hours or days before the rest. */
async function restoreFirst(
  step: RestoreStepInput,
  { host, limits }: RestoreInput,
  report: Report,
): Promise<NonNullable<RestoreReport['first']>> {
  const { paths, target } = step;
  const steps = onHost(host, limits, `restore ${paths.join(', ').slice(0, 100)} of ${step.resource} first`);
  const name = 'restore and verify what comes first';
  const { files, bytes, warnings } = await report.watch(name, () => steps.resticRestore(step));
  const readyAt = new Date().toISOString();
  const note = `${files} files ready in ${target} since ${readyAt}`;
  report.step(name, warnings.length > 0 ? 'warned' : 'done', note);
  return { target, files, bytes, readyAt };
}

/** What was there comes back when the exchange does not come to its end, whatever the reason. */
function takePlace(
  step: RestoreStepInput,
  { host, limits }: RestoreInput,
  report: Report,
): Promise<RestoreReport> {
  const { run, resource } = step;
  const steps = onHost(host, limits, `give ${resource} its restored files`);
  return withUndo(async (undo) => {
    let isPlaced = false;
    undo.register(resource, async () => {
      if (!isPlaced) await steps.hostPutBack({ run, what: `in-place:${resource}` });
    });
    const done = await report.watch('take its place', () => steps.resticTakePlace(step));
    isPlaced = true;
    report.step('take its place', 'done', done.movedAside ? `what was there lies in ${done.movedAside}` : '');
    return done;
  });
}

/** The other way round, on request. */
function undo(
  step: RestoreStepInput,
  { host, limits, resource }: RestoreInput,
  report: Report,
): Promise<RestoreResult> {
  return withLeases([resourceLease(resource)], report, async () => {
    const steps = onHost(host, limits, `bring back what ${step.undo} moved aside`);
    const done = await report.watch('bring back', () => steps.resticUndoInPlace(step));
    report.step('bring back', 'done', `what was restored lies in ${done.movedAside}`);
    return {
      outcome: 'ok',
      report: done,
      summary: `${done.target} is as it was before ${step.undo}; what was restored lies in ${done.movedAside}`,
      warnings: [],
    };
  });
}

function resultOf(report: RestoreReport, { job, resource, run }: RestoreStepInput): RestoreResult {
  const { warnings, movedAside, first } = report;
  const early = first
    ? `\n${first.files} files that came first have been ready in ${first.target} since ${first.readyAt}`
    : '';
  const aside = movedAside
    ? `\nWhat was there before lies in ${movedAside} and is never removed by us. Back: holdfast restore ${job}/${resource} --undo ${run}`
    : '';
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    report,
    summary: `${describe(report)}${early}${aside}`,
    warnings,
  };
}

const describe = ({ files, target }: RestoreReport): string =>
  `${files} files restored to ${target} and verified`;

/** What stays behind is for the workflow alone. */
const stepInput = ({
  host,
  sourceHost,
  limits,
  approved,
  approveWithinMs,
  notify,
  ...asked
}: RestoreInput): RestoreStepInput => ({
  ...asked,
  run: workflowInfo().workflowId,
  retryForMs: limits.retryForMs,
});
