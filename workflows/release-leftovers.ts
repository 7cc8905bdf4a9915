import { workflowInfo } from '@temporalio/workflow';
import type { ActionInput } from '../contracts/actions.js';
import type { RunResult } from '../contracts/jobs.js';
import type { LeftoversStepInput } from '../contracts/leftovers.js';
import { isRunning } from './steps/alive.js';
import { type ByHand, type ByHandPlace, onPlaces } from './steps/by-hand.js';
import { openReport } from './steps/report.js';
import { endRun } from './steps/run.js';

/** Lets go of the holds and bookmarks of replications that are in the configuration no more, after a yes to just these. */
export async function releaseLeftovers(input: ActionInput): Promise<RunResult> {
  const report = openReport(input);
  return endRun(report, () => onPlaces(placesOf(input), { input, report, what: releasing() }));
}

function releasing(): ByHand<LeftoversStepInput> {
  // A run that has ended never sends again: what is known of it at the question counts when it is acted on.
  const ended = new Set<string>();
  return {
    async plan(steps, step) {
      const first = await steps.zfsPlanLeftovers(step);
      for (const run of first.holdingRuns) if (!(await isRunning(run))) ended.add(run);
      return ended.size === 0 ? first : steps.zfsPlanLeftovers({ ...step, endedRuns: [...ended] });
    },
    async act(steps, step) {
      const done = await steps.zfsReleaseLeftovers({ ...step, endedRuns: [...ended] });
      return { ...done, count: done.released };
    },
    question: (count) => `release ${count} holds and bookmarks that no job of the configuration knows`,
    doneWord: 'released',
    nothing: { step: 'nothing is left over', summary: 'nothing had to be released' },
  };
}

/** Each host once: it knows by its own file what of the job lies there. */
function placesOf({
  job,
  sources,
  storeHosts = {},
  settings,
  limits,
}: ActionInput): ByHandPlace<LeftoversStepInput>[] {
  const hosts = new Set([...sources.map(({ host }) => host), ...Object.values(storeHosts)]);
  const { unknown } = settings;
  const step: LeftoversStepInput = {
    job,
    run: workflowInfo().workflowId,
    retryForMs: limits.retryForMs,
    ...(unknown !== undefined && { unknown }),
  };
  return [...hosts].map((host) => ({ name: `release leftovers on ${host}`, host, step, leases: [] }));
}
