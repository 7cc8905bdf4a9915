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

/** Brings everything back to the source: most of it while the replica goes on to be used, the rest while nothing is written anywhere. */
export async function failBack(input: ActionInput): Promise<RunResult> {
  const report = openReport(input);
  return endRun(report, async () => {
    const planned = stillToDo(await each(partsOf(input), (part) => plan(part, input, report)), report);
    const onlyPlanned = await askForAll(planned, input, report);
    if (onlyPlanned) return onlyPlanned;
    const parts = planned.map((part) => ({ ...part, step: { ...part.step, digest: part.plan.digest } }));
    const warnings: string[] = [];
    const done = await withLeases(leasesOf(parts), report, async () => {
      for (const part of parts) await ready(part, input, report);
      for (const part of parts) await sendAll(part, input, report, true);
      return withUndo(async (undo) => {
        for (const [at, part] of parts.entries())
          warnings.push(...(await stop(part, at === 0, { input, undo, report })));
        for (const part of parts) await sendAll(part, input, report, true);
        return finishAll(parts, input, report);
      });
    });
    return resultOf('brought back', done, warnings);
  });
}

async function plan(part: Part, input: ActionInput, report: Report): Promise<Planned> {
  const name = `plan ${part.step.resource}`;
  const made = await report.watch(name, () =>
    stepsFor(input, part, 'plan the failback of').zfsPlanFailback(part.step),
  );
  if (!made.alreadyDone) report.step(name, 'done', `${made.datasets} datasets`);
  return { ...part, plan: made };
}

async function ready(part: Planned, input: ActionInput, report: Report): Promise<void> {
  const name = `make ${part.step.resource} ready`;
  const { apart, count } = await report.watch(name, () =>
    stepsFor(input, part, 'make ready').zfsReadyReturned(part.step),
  );
  report.step(
    name,
    'done',
    count === 0 ? 'nothing had to be put aside' : `${count} put aside: ${apart.join(', ')}`,
  );
}

async function stop(
  part: Planned,
  isFirst: boolean,
  { input, undo, report }: { input: ActionInput; undo: Undo; report: Report },
): Promise<string[]> {
  const { resource } = part.step;
  const step = { ...part.step, ...(isFirst && part.plan.hooks.stop && { withHooks: true as const }) };
  // It resumes nothing once the other side is the one in use.
  undo.register(`replica of ${resource}`, async () => {
    const { resumed } = await stepsFor(input, part, 'resume').zfsResumeReplica(step);
    if (resumed) report.step(`resume ${resource}`, 'done', 'the replica is in use again');
  });
  const name = `stop ${resource}`;
  const { snapshot, warnings } = await report.watch(name, () =>
    stepsFor(input, part, 'stop').zfsStopReplica(step),
  );
  report.step(name, warnings.length > 0 ? 'warned' : 'done', `readonly, last snapshot @${snapshot}`);
  return warnings;
}

const finishAll = (parts: Planned[], input: ActionInput, report: Report): Promise<FailoverReport[]> =>
  finishEach(parts, async (part, starts) => {
    const name = `give back ${part.step.resource}`;
    const step = { ...part.step, ...(starts && { withHooks: true as const }) };
    const done = await report.watch(name, () => stepsFor(input, part, 'give back').zfsFinishFailback(step));
    report.step(name, done.warnings.length > 0 ? 'warned' : 'done', `${done.datasets} datasets`);
    return done;
  });
