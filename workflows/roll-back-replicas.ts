import type { ActionInput } from '../contracts/actions.js';
import type { RunResult } from '../contracts/jobs.js';
import { onReplicas } from './steps/by-hand.js';
import { openReport } from './steps/report.js';
import { endRun } from './steps/run.js';

/** Takes replicas that others wrote to back to the newest snapshot that both sides have, after a yes to just what is lost by it. */
export async function rollBackReplicas(input: ActionInput): Promise<RunResult> {
  const report = openReport(input);
  const { dataset } = input.settings;
  const only = dataset === undefined ? {} : { dataset };
  return endRun(report, () =>
    onReplicas(input, report, {
      name: (resource, store) => `roll back replicas of ${resource} in ${store}`,
      plan: (steps, step) => steps.zfsPlanRollBack({ ...step, ...only }),
      act: async (steps, step) => {
        const done = await steps.zfsRollBackReplicas({ ...step, ...only });
        return { ...done, count: done.rolledBack };
      },
      question: (count) => `destroy what ${count} replicas hold after their base, for ever`,
      doneWord: 'rolled back',
      nothing: {
        step: 'none has diverged',
        summary: `nothing had to be rolled back${dataset === undefined ? '' : `: "${dataset}" is no replica that has diverged`}`,
      },
    }),
  );
}
