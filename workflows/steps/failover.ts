import { patched, workflowInfo } from '@temporalio/workflow';
import type { ActionInput } from '../../contracts/actions.js';
import type { FailoverPlan, FailoverReport, FailoverStepInput } from '../../contracts/failover.js';
import type { RunResult, Source } from '../../contracts/jobs.js';
import { failoverLease, replicationLease } from '../../contracts/names.js';
import { askApproval } from './approve.js';
import { each } from './each.js';
import { diagnose, failure } from './failure.js';
import { type HostSteps, onHost } from './on-host.js';
import type { Report } from './report.js';
import { sendUntilProved } from './send.js';

/** What a failover and a failback share: which replica it is about, what is asked, and what is told at the end. */

/** How long the question waits for a yes. Milliseconds. */
const approveWithinMs = 24 * 3_600_000;

/** One resource of the job, and the step that is asked about it. */
export interface Part {
  source: Source;
  /** Where the replica is, and so where the steps run. */
  host: string;
  store: string;
  step: FailoverStepInput;
}

/** The order is that of the configuration: hooks that stop programs run with the first one. */
export function partsOf(input: ActionInput): Part[] {
  const { job, settings, sources, stores, limits, storeHosts = {} } = input;
  const store = settings.store ?? (stores.length === 1 ? stores[0] : undefined);
  if (store === undefined || !stores.includes(store))
    throw failure(
      'HF_FAILOVER_REFUSED',
      `Which replica? The job "${job}" has the stores ${stores.join(', ')}: say "--set store=NAME". Nothing was changed`,
    );
  const run = workflowInfo().workflowId;
  return sources.map((source) => ({
    source,
    store,
    host: storeHosts[store] ?? source.host,
    step: { job, run, resource: source.resource, store, settings, retryForMs: limits.retryForMs },
  }));
}

export const stepsFor = (input: ActionInput, { host, step, store }: Part, what: string): HostSteps =>
  onHost(host, input.limits, `${what} ${step.resource} in ${store}`);

export const leasesOf = (parts: readonly Part[]): string[] => [
  ...parts.map(({ step, store }) => replicationLease(step.resource, store)),
  ...(patched('2026-11-one-failover-of-a-resource')
    ? parts.map(({ step }) => failoverLease(step.resource))
    : []),
];

export interface Planned extends Part {
  plan: FailoverPlan;
}

/** A run that ended half done has brought some of them to where they belong; refused only where nothing is left to do. */
export function stillToDo(planned: readonly Planned[], report: Report): Planned[] {
  const open = planned.filter(({ plan }) => !plan.alreadyDone);
  const words = planned.flatMap(({ plan }) => (plan.alreadyDone ? plan.lines : []));
  if (open.length === 0) throw failure('HF_FAILOVER_REFUSED', `${words.join('; ')}. Nothing was changed`);
  for (const { plan, step } of planned)
    if (plan.alreadyDone) report.step(`plan ${step.resource}`, 'skipped', plan.lines[0] ?? '');
  return open;
}

/**
 * One after the other; with the last one the programs start, unless one before is not ready: they come with the next try. Where the very first
 * is refused nothing was touched yet, and nothing is: what was stopped is put back as a whole.
 */
export async function finishEach<P extends Planned>(
  parts: readonly P[],
  finish: (part: P, starts: boolean) => Promise<FailoverReport>,
): Promise<FailoverReport[]> {
  let [ready, refused]: [number, unknown] = [0, undefined];
  return each([...parts.entries()], async ([at, part]) => {
    if (refused !== undefined) throw failure('HF_FAILOVER_REFUSED', `${part.step.resource} was not begun`);
    const starts = part.plan.hooks.start && at === parts.length - 1 && ready === at;
    try {
      const done = await finish(part, starts);
      ready += 1;
      return done;
    } catch (error) {
      if (at === 0 && isRefusal(error) && patched('2026-11-nothing-after-a-refusal')) refused = error;
      throw error;
    }
  });
}

/** Each of these is said before anything is changed. */
const isRefusal = (error: unknown): boolean =>
  ['HF_FAILOVER_REFUSED', 'HF_SOURCE_NOT_OFF', 'HF_NOT_APPROVED'].includes(diagnose(error).code);

/** With `planOnly` the end of it; else the yes to just these plans. */
export async function askForAll(
  planned: readonly Planned[],
  input: ActionInput,
  report: Report,
): Promise<RunResult | undefined> {
  const lines = planned.flatMap(({ plan }) => plan.lines);
  if (input.planOnly)
    return { outcome: 'ok', copies: [], summary: lines.join('\n').slice(0, 8000), warnings: [] };
  const digest = planned.map(({ plan }) => plan.digest).join('.');
  const [what = '', ...details] = lines;
  await askApproval({ digest, what, details, withinMs: approveWithinMs }, report);
  return undefined;
}

/** Everything must arrive: what is left behind would be lost for whoever goes on with the other side. */
export async function sendAll(part: Part, input: ActionInput, report: Report, back?: true): Promise<void> {
  const { step, store, source } = part;
  const { job, run, resource, retryForMs } = step;
  const name = `${resource} ${back ? '←' : '→'} ${store}`;
  const { limits, parallel, limitedPools } = input;
  const options = { name, host: back ? part.host : source.host, limits, parallel, limitedPools };
  const asked = { job, run, resource, store, retryForMs, ...(back && { back }) };
  const { look, bytes } = await sendUntilProved(asked, options, report);
  const open = [...look.stopped, ...look.behind];
  if (look.stoppedCount + look.behindCount > 0) {
    const words = `${name}: ${look.stoppedCount} stopped, ${look.behindCount} behind. ${open.join('; ')}`;
    report.step(name, 'failed', words.slice(0, 1000));
    throw failure(look.stoppedCount > 0 ? 'HF_REPLICA_DIVERGED' : 'HF_REPLICA_BEHIND', words.slice(0, 600));
  }
  report.step(name, 'done', `at most ${bytes} bytes sent`);
}

export function resultOf(what: string, done: readonly FailoverReport[], more: readonly string[]): RunResult {
  const warnings = [...more, ...done.flatMap((one) => one.warnings)];
  const datasets = done.reduce((sum, one) => sum + one.datasets, 0);
  const byHand = done.flatMap((one) => one.byHand);
  const lines = [
    `${what}: ${datasets} datasets`,
    ...done.flatMap(({ notes }) => notes),
    ...(byHand.length > 0 ? ['By hand now:', ...byHand.map((line) => `- ${line}`)] : []),
  ];
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    copies: [],
    summary: lines.join('\n').slice(0, 8000),
    warnings: warnings.slice(0, 20),
  };
}
