import { workflowInfo } from '@temporalio/workflow';
import type { ActionInput } from '../contracts/actions.js';
import type { RunResult, Source } from '../contracts/jobs.js';
import { replicationLease } from '../contracts/names.js';
import type { ParkingReport, ParkStepInput } from '../contracts/replication.js';
import { askApproval } from './steps/approve.js';
import { each } from './steps/each.js';
import { withLeases } from './steps/lease.js';
import { onHost } from './steps/on-host.js';
import { openReport, type Report } from './steps/report.js';
import { endRun } from './steps/run.js';

/** How long the question waits for a yes. Milliseconds. */
const approveWithinMs = 24 * 3_600_000;

/** Renames replicas aside that cannot be continued, after a human has said yes to just these; the next replication copies them anew. */
export async function parkReplicas(input: ActionInput): Promise<RunResult> {
  const report = openReport();
  return endRun(report, async () => {
    const pairs = input.sources.flatMap((source) => input.stores.map((store) => ({ source, store })));
    const done = await each(pairs, ({ source, store }) => park(source, store, input, report));
    const warnings = done.flatMap((one) => one.warnings);
    const names = done.flatMap((one) => one.names);
    const count = done.reduce((sum, { parked }) => sum + parked, 0);
    const plans = done.flatMap(({ plan }) => plan ?? []);
    const parked = count === 0 ? 'nothing had to be parked' : `${count} parked: ${names.join(', ')}`;
    return {
      outcome: warnings.length > 0 ? 'warnings' : 'ok',
      copies: [],
      summary: plans.length > 0 ? plans.join('\n') : parked,
      warnings: warnings.slice(0, 20),
    };
  });
}

async function park(
  source: Source,
  store: string,
  input: ActionInput,
  report: Report,
): Promise<ParkingReport & { plan?: string }> {
  const name = `park replicas of ${source.resource} in ${store}`;
  const step: ParkStepInput = {
    job: input.job,
    run: workflowInfo().workflowId,
    resource: source.resource,
    store,
    retryForMs: input.limits.retryForMs,
    round: 0,
  };
  const steps = onHost(source.host, input.limits, name);
  const { digest, count, lines } = await report.watch(name, () => steps.zfsPlanParking(step));
  if (count === 0) {
    report.step(name, 'done', 'every replica can be continued');
    return { parked: 0, names: [], warnings: [] };
  }
  const what = `rename ${count} aside and copy anew: ${lines.join('; ')}`.slice(0, 2000);
  if (input.planOnly) {
    report.step(name, 'done', `would ${what}`);
    return { parked: 0, names: [], warnings: [], plan: `would ${what}` };
  }
  report.step(name, 'waiting', what);
  // Nothing is held while a human thinks: replication of the rest goes on.
  await askApproval({ digest, what, withinMs: approveWithinMs }, report);
  const lease = replicationLease(source.resource, store);
  const done = await withLeases([lease], report, () =>
    report.watch(name, () => steps.zfsParkReplicas({ ...step, digest })),
  );
  report.step(name, done.warnings.length > 0 ? 'warned' : 'done', done.names.join(', '));
  return done;
}
