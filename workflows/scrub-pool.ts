import { CancellationScope, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import type { JobInput, RunResult, Source } from '../contracts/jobs.js';
import { resourceLease } from '../contracts/names.js';
import type { ScrubReport, ScrubStepInput } from '../contracts/zfs.js';
import { each } from './steps/each.js';
import { withLeases } from './steps/lease.js';
import { askHost, heavyOnHost } from './steps/on-host.js';
import type { Report } from './steps/report.js';
import { runJob } from './steps/run-job.js';

/** Reads each pool of a job as a whole, one after the other, within the hours that the job allows. */
export const scrubPool = (input: JobInput): Promise<RunResult> =>
  runJob(input, (present, report) =>
    withLeases(
      present.sources.map(({ resource }) => resourceLease(resource)),
      report,
      async () => {
        const scrubbed = await each(present.sources, (source) => scrub(source, present, report));
        const warnings = scrubbed.flatMap((one) => one.warnings);
        return {
          outcome: warnings.length > 0 ? 'warnings' : 'ok',
          copies: [],
          summary: scrubbed.map(describe).join('; '),
          warnings: warnings.slice(0, 20),
        };
      },
    ),
  );

async function scrub(source: Source, input: JobInput, report: Report): Promise<ScrubReport> {
  const name = `scrub ${source.resource}`;
  try {
    const done = await report.watch(name, () => untilDone(source, input, report));
    report.step(name, done.warnings.length > 0 ? 'warned' : 'done', describe(done));
    return done;
  } catch (error) {
    // A pool goes on with its scrub whoever has died; only who cancels the run wants the disks back.
    if (isCancellation(error)) await pauseIt(source, input);
    throw error;
  }
}

/** Outside of its hours nothing of a host is used up: the waiting is done here. */
async function untilDone(source: Source, input: JobInput, report: Report): Promise<ScrubReport> {
  for (;;) {
    const steps = heavyOnHost(source.host, input.limits, `scrub ${source.resource} on ${source.host}`);
    const done = await steps.zfsScrub(stepInput(source, input));
    if (done.state === 'finished') return done;
    report.waitFor(`the hours in which ${input.job} may work`);
    await sleep(done.waitMs ?? 60_000, { summary: 'wait for the hours of the job' });
    report.waitFor(undefined);
  }
}

async function pauseIt(source: Source, input: JobInput): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    const steps = askHost(source.host, `pause the scrub of ${source.resource}`);
    await steps.zfsPauseScrub(stepInput(source, input)).catch(() => undefined);
  });
}

const stepInput = ({ resource }: Source, { job, limits }: JobInput): ScrubStepInput => ({
  job,
  resource,
  run: workflowInfo().workflowId,
  retryForMs: limits.retryForMs,
});

const describe = ({ pool, repairedBytes, poolState }: ScrubReport): string =>
  `${pool} is ${poolState}, ${repairedBytes === 0 ? 'nothing had to be repaired' : `${repairedBytes} bytes repaired`}`;
