import type { ActionInput } from '../contracts/actions.js';
import type { RunResult } from '../contracts/jobs.js';
import { onReplicas } from './steps/by-hand.js';
import { openReport } from './steps/report.js';
import { endRun } from './steps/run.js';

/** Renames replicas aside that cannot be continued, after a human has said yes to just these; the next replication copies them anew. */
export async function parkReplicas(input: ActionInput): Promise<RunResult> {
  const report = openReport(input);
  return endRun(report, () =>
    onReplicas(input, report, {
      name: (resource, store) => `park replicas of ${resource} in ${store}`,
      plan: (steps, step) => steps.zfsPlanParking(step),
      act: async (steps, step) => {
        const done = await steps.zfsParkReplicas(step);
        return { ...done, count: done.parked };
      },
      question: (count) => `rename ${count} aside and copy anew`,
      doneWord: 'parked',
      nothing: { step: 'every replica can be continued', summary: 'nothing had to be parked' },
    }),
  );
}
