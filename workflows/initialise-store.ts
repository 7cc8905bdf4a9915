import { workflowInfo } from '@temporalio/workflow';
import type { InitialiseStoreInput } from '../contracts/by-hand.js';
import type { RunResult } from '../contracts/jobs.js';
import { storeLease } from '../contracts/names.js';
import { withLeases } from './steps/lease.js';
import { onHost } from './steps/on-host.js';
import { openReport } from './steps/report.js';
import { endRun } from './steps/run.js';

/** Makes a new repository: only when asked by hand, because a missing one may as well be a lost one. */
export async function initialiseStore({ store, host, limits }: InitialiseStoreInput): Promise<RunResult> {
  const report = openReport({});
  return endRun(report, () =>
    withLeases([storeLease(store)], report, async () => {
      const steps = onHost(host, limits, `create the repository of ${store}`);
      const input = { store, run: workflowInfo().workflowId, retryForMs: limits.retryForMs };
      const { repository } = await report.watch('create', () => steps.resticInitialise(input));
      report.step('create', 'done', repository);
      return {
        outcome: 'ok',
        copies: [],
        summary: `${store}: repository ${repository} created`,
        warnings: [],
      };
    }),
  );
}
