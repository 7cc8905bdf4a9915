import { workflowInfo } from '@temporalio/workflow';
import type { ActionInput } from '../../contracts/actions.js';
import type { RunResult, Source } from '../../contracts/jobs.js';
import { replicationLease } from '../../contracts/names.js';
import type { ReplicationStepInput } from '../../contracts/replication.js';
import { askApproval } from './approve.js';
import { each } from './each.js';
import { withLeases } from './lease.js';
import { type HostSteps, onHost } from './on-host.js';
import type { Report } from './report.js';

/** What a human has done to replicas: look, ask about just what was found, do it under the lease. Parking and rolling back are one story. */

/** How long the question waits for a yes. Milliseconds. */
const approveWithinMs = 24 * 3_600_000;

export interface ByHand<Step> {
  plan(steps: HostSteps, step: Step): Promise<ByHandPlan>;
  act(steps: HostSteps, step: Step & { digest: string }): Promise<ByHandReport>;
  /** "rename 2 aside and copy anew" */
  question(count: number): string;
  /** "parked" */
  doneWord: string;
  /** When nothing was found. */
  nothing: { step: string; summary: string };
}

/** What is asked about by itself. */
export interface ByHandPlace<Step> {
  /** Of the step: "park replicas of tree in grogu". */
  name: string;
  host: string;
  step: Step;
  leases: string[];
}

interface ByHandPlan {
  digest: string;
  count: number;
  lines: string[];
  /** What cannot be done, and why. */
  refused?: string[];
}

interface ByHandReport {
  /** How many; only the first few are named. */
  count: number;
  names: string[];
  warnings: string[];
}

interface Done extends ByHandReport {
  plan?: string;
}

/** For every resource of the job in every store. */
export const onReplicas = (
  input: ActionInput,
  report: Report,
  what: ByHand<ReplicationStepInput> & { name(resource: string, store: string): string },
): Promise<RunResult> =>
  onPlaces(
    input.sources.flatMap((source) => input.stores.map((store) => replicaPlace(source, store, input, what))),
    { input, report, what },
  );

const replicaPlace = (
  { resource, host }: Source,
  store: string,
  { job, limits }: ActionInput,
  { name }: { name(resource: string, store: string): string },
): ByHandPlace<ReplicationStepInput> => ({
  name: name(resource, store),
  host,
  step: { job, run: workflowInfo().workflowId, resource, store, retryForMs: limits.retryForMs, round: 0 },
  leases: [replicationLease(resource, store)],
});

/** One after the other, each with a question of its own. */
export async function onPlaces<Step>(
  places: ByHandPlace<Step>[],
  all: { input: ActionInput; report: Report; what: ByHand<Step> },
): Promise<RunResult> {
  const { what } = all;
  const done = await each(places, (place) => onePlace(place, all));
  const warnings = done.flatMap((one) => one.warnings);
  const count = done.reduce((sum, one) => sum + one.count, 0);
  const names = done.flatMap((one) => one.names);
  const plans = done.flatMap(({ plan }) => plan ?? []);
  const said = [`${count} ${what.doneWord}`, ...(count > 0 ? [names.join(', ')] : [])].join(': ');
  const summary = count === 0 && warnings.length === 0 ? what.nothing.summary : said;
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    copies: [],
    summary: plans.length > 0 ? plans.join('\n') : summary,
    warnings: warnings.slice(0, 20),
  };
}

async function onePlace<Step>(
  { name, host, step, leases }: ByHandPlace<Step>,
  { input, report, what }: { input: ActionInput; report: Report; what: ByHand<Step> },
): Promise<Done> {
  const steps = onHost(host, input.limits, name);
  const { digest, count, lines, refused = [] } = await report.watch(name, () => what.plan(steps, step));
  if (count === 0) {
    report.step(name, refused.length > 0 ? 'warned' : 'done', refused.join('; ') || what.nothing.step);
    return { count: 0, names: [], warnings: refused };
  }
  const question = what.question(count);
  if (input.planOnly) {
    report.step(name, 'done', `would ${question}`);
    return { count: 0, names: [], warnings: refused, plan: [`would ${question}:`, ...lines].join('\n  ') };
  }
  report.step(name, 'waiting', question);
  // Nothing is held while a human thinks: replication of the rest goes on.
  await askApproval({ digest, what: question, details: lines, withinMs: approveWithinMs }, report);
  const done = await withLeases(leases, report, () =>
    report.watch(name, () => what.act(steps, { ...step, digest })),
  );
  const warnings = [...refused, ...done.warnings];
  report.step(name, warnings.length > 0 ? 'warned' : 'done', done.names.join(', '));
  return { count: done.count, names: done.names, warnings };
}
