import type { ActionInput } from '../contracts/actions.js';
import type { FailoverReport } from '../contracts/failover.js';
import type { RunResult } from '../contracts/jobs.js';
import { each } from './steps/each.js';
import {
  askForAll,
  finishEach,
  leasesOf,
  type Part,
  type Planned,
  partsOf,
  resultOf,
  sendAll,
  stepsFor,
  stillToDo,
} from './steps/failover.js';
import { withLeases } from './steps/lease.js';
import { openReport, type Report } from './steps/report.js';
import { endRun } from './steps/run.js';
import { type Undo, withUndo } from './steps/undo.js';
import { watchTheDead } from './steps/watch.js';

/** Makes a replica the one in use: after a last catch-up where the source lives, else from what has arrived and a human's word that it is off. */
export async function failOver(input: ActionInput): Promise<RunResult> {
  const report = openReport(input);
  return endRun(report, async () => {
    const planned = stillToDo(await each(partsOf(input), (part) => plan(part, input, report)), report);
    // Nothing is held while a human thinks: replication goes on.
    const onlyPlanned = await askForAll(planned, input, report);
    if (onlyPlanned) return onlyPlanned;
    const done = await withLeases(leasesOf(planned), report, () =>
      withUndo(async (undo) => {
        const approved = asApproved(planned);
        const living = approved.filter(stillRuns);
        for (const part of living) await stop(part, input, undo, report);
        for (const part of living) await sendAll(part, input, report);
        return promoteAll(approved, input, report);
      }),
    );
    return resultOf('the replica is the one in use', done, []);
  });
}

async function plan(part: Part, input: ActionInput, report: Report): Promise<Planned> {
  const name = `plan ${part.step.resource}`;
  const made = await report.watch(name, () =>
    stepsFor(input, part, 'plan the failover of').zfsPlanFailover(part.step),
  );
  if (!made.alreadyDone) report.step(name, 'done', `${made.datasets} datasets; the source ${made.source}`);
  return { ...part, plan: made };
}

const stillRuns = ({ plan: { source, goesOn } }: Planned): boolean => source === 'answers' && !goesOn;

/** Programs are stopped before the first of all is touched that can still be. */
const asApproved = (parts: readonly Planned[]): Approved[] =>
  parts.map((part) => ({
    ...part,
    step: { ...part.step, digest: part.plan.digest, source: part.plan.source },
    stops: part === parts.find(stillRuns) && part.plan.hooks.stop,
  }));

type Approved = Planned & { stops: boolean };

async function stop(part: Approved, input: ActionInput, undo: Undo, report: Report): Promise<void> {
  const { resource } = part.step;
  const step = { ...part.step, ...(part.stops && { withHooks: true as const }) };
  // It puts nothing back once the replica is the one in use.
  undo.register(`source of ${resource}`, async () => {
    const { putBack } = await stepsFor(input, part, 'put back the source of').zfsPutSourceBack(step);
    if (putBack) report.step(`put back ${resource}`, 'done', 'writable again');
  });
  const name = `stop ${resource}`;
  const { snapshot } = await report.watch(name, () =>
    stepsFor(input, part, 'stop the source of').zfsStopSource(step),
  );
  report.step(name, 'done', `readonly, last snapshot @${snapshot}`);
}

const promoteAll = (
  parts: readonly Approved[],
  input: ActionInput,
  report: Report,
): Promise<FailoverReport[]> =>
  finishEach(parts, async (part, starts) => {
    const name = `take over ${part.step.resource}`;
    const step = { ...part.step, ...(starts && { withHooks: true as const }) };
    try {
      const done = await report.watch(name, () => stepsFor(input, part, 'take over').zfsPromoteReplica(step));
      const note = `${done.datasets} datasets are writable`;
      report.step(name, done.warnings.length > 0 ? 'warned' : 'done', note);
      return done;
    } finally {
      // Also where it failed: the replica may be in use by then.
      await watchTheDead(parts, input);
    }
  });
