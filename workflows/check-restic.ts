import { workflowInfo } from '@temporalio/workflow';
import type { CheckReport, JobInput, RunResult } from '../contracts/jobs.js';
import { heavyOnHost } from './steps/on-host.js';
import { onStores } from './steps/on-stores.js';
import type { Report } from './steps/report.js';
import { runJob } from './steps/run-job.js';

/** Checks a job's stores: their structure, and by turns one part of the data after the other. */
export const checkRestic = (input: JobInput): Promise<RunResult> => runJob(input, check);

function check(input: JobInput, report: Report): Promise<RunResult> {
  const { job, sources, limits } = input;
  const host = sources[0]?.host ?? '';
  return onStores(input, report, {
    name: (store) => `check ${store}`,
    body: (store) =>
      heavyOnHost(host, limits, `check ${store} for ${job}`).resticCheck({
        job,
        store,
        run: workflowInfo().workflowId,
        retryForMs: limits.retryForMs,
      }),
    describe,
    // What was measured, for the arithmetic of `plan`.
    more: (checks) => ({ checks: checks.map((check) => ({ ...check, warnings: [] })) }),
  });
}

const describe = ({ part, parts }: CheckReport): string =>
  part === undefined
    ? 'the structure is whole, no data was read'
    : `part ${part} of ${parts} read, no damage`;
