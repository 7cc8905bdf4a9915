import { workflowInfo } from '@temporalio/workflow';
import type { CheckReport, JobInput, RunResult } from '../contracts/jobs.js';
import { storeLease, storeReadLease } from '../contracts/names.js';
import { eachStore } from './steps/each-store.js';
import { withLeases } from './steps/lease.js';
import { heavyOnHost } from './steps/on-host.js';
import { openReport, type Report } from './steps/report.js';
import { endRun } from './steps/run.js';

/** Checks a job's stores: their structure, and by turns one part of the data after the other. */
export async function checkRestic(input: JobInput): Promise<RunResult> {
  const report = openReport();
  const leases = input.stores.flatMap((store) => [storeLease(store), storeReadLease(store)]);
  return endRun(report, () =>
    withLeases(leases, report, async () =>
      summarise(await eachStore(input.stores, (store) => check(store, input, report))),
    ),
  );
}

async function check(
  store: string,
  { job, sources, limits }: JobInput,
  report: Report,
): Promise<CheckReport> {
  const host = sources[0]?.host ?? '';
  const name = `check ${store}`;
  const steps = heavyOnHost(host, limits, `check ${store} for ${job}`);
  const input = { job, store, resource: '', run: workflowInfo().workflowId, retryForMs: limits.retryForMs };
  const checked = await report.watch(name, () => steps.resticCheck(input));
  report.step(name, checked.warnings.length > 0 ? 'warned' : 'done', describe(checked));
  return checked;
}

const describe = ({ part, parts }: CheckReport): string =>
  part === undefined
    ? 'the structure is whole, no data was read'
    : `part ${part} of ${parts} read, no damage`;

function summarise(checked: CheckReport[]): RunResult {
  const warnings = checked.flatMap(({ store, warnings }) => warnings.map((text) => `${store}: ${text}`));
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    copies: [],
    summary: checked.map((report) => `${report.store}: ${describe(report)}`).join('; '),
    warnings: warnings.slice(0, 20),
    checks: checked.map((report) => ({ ...report, warnings: [] })),
  };
}
