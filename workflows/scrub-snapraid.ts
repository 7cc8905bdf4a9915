import type { JobInput, RunResult, Source } from '../contracts/jobs.js';
import type { SnapraidScrubReport } from '../contracts/snapraid.js';
import { each } from './steps/each.js';
import { noteTrouble } from './steps/note.js';
import type { Report } from './steps/report.js';
import { runJob } from './steps/run-job.js';
import { arrayWork, look, scrub, scrubWords } from './steps/snapraid.js';

/** Reads a part of each array, and plans the repair of what is bad. */
export const scrubSnapraid = (job: JobInput): Promise<RunResult> =>
  runJob(job, (input, report) =>
    noteTrouble(report, async () => {
      const all = await each(input.sources, (source) => scrubOne(source, input, report));
      const warnings = all.flatMap(({ resource, warnings: own }) =>
        own.map((text) => `${resource}: ${text}`),
      );
      return {
        outcome: warnings.length > 0 ? 'warnings' : 'ok',
        copies: [],
        summary: all.map((one) => `${one.resource}: ${scrubWords(one)}`).join('; '),
        warnings: warnings.slice(0, 20),
      };
    }),
  );

async function scrubOne(source: Source, input: JobInput, report: Report): Promise<SnapraidScrubReport> {
  const work = arrayWork(source, input, report);
  await look(work);
  return scrub(work);
}
