import { patched } from '@temporalio/workflow';
import type { JobInput, RunResult, Source } from '../contracts/jobs.js';
import type { SnapraidLook, SnapraidStepName } from '../contracts/snapraid.js';
import { each } from './steps/each.js';
import { diagnose } from './steps/failure.js';
import { noteTrouble } from './steps/note.js';
import type { Report } from './steps/report.js';
import { runJob } from './steps/run-job.js';
import {
  type ArrayWork,
  arrayWork,
  keepCopies,
  look,
  lookWords,
  scrub,
  scrubWords,
  smart,
  spinDown,
  sync,
  syncWords,
  touch,
} from './steps/snapraid.js';

const defaultSteps: SnapraidStepName[] = ['touch', 'sync', 'scrub', 'smart'];

/** Keeps the parity of arrays up to date, and never makes a loss permanent that nobody has seen. */
export const maintainSnapraid = (job: JobInput): Promise<RunResult> =>
  runJob(job, (input, report) =>
    noteTrouble(report, async () => {
      const all = await each(input.sources, (source) => maintain(source, input, report));
      const warnings = all.flatMap((one) => one.warnings);
      const points = all.flatMap((one) => one.restorePoint ?? []).sort();
      report.note(all.map(({ state }) => state).join('; '));
      return {
        outcome: warnings.length > 0 ? 'warnings' : 'ok',
        copies: [],
        summary: all
          .map(({ words }) => words)
          .join('; ')
          .slice(0, 2000),
        warnings: warnings.slice(0, 20),
        ...(points.length === all.length && points[0] !== undefined && { restorePoint: points[0] }),
      };
    }),
  );

interface Maintained {
  words: string;
  /** Of the array at the end, for `status`. */
  state: string;
  /** Of the array before a sync: what that has taken in is not known. */
  seen?: SnapraidLook | undefined;
  restorePoint?: string;
  warnings: string[];
}

async function maintain(source: Source, input: JobInput, report: Report): Promise<Maintained> {
  const work = arrayWork(source, input, report);
  const before = await look(work);
  const done: Maintained = { words: '', state: '', warnings: [], seen: before };
  const words: string[] = [];
  for (const step of input.snapraid?.steps ?? defaultSteps) words.push(...(await perform(step, work, done)));
  const after = await look(work, true);
  done.warnings.push(
    ...shareWords(before.shareSilent, after.shareSilent),
    ...after.warnings,
    ...(before.unsynced > 0 ? ['an interrupted sync was continued'] : []),
  );
  if (input.snapraid?.spinDown) await spinDown(work);
  done.words = `${source.resource}: ${words.join(', ')}`;
  done.state = `${source.resource}: ${lookWords(after)}`;
  return done;
}

function shareWords(before: string | undefined, after: string | undefined): string[] {
  if (after !== undefined) return [`${after}${before === undefined ? ', and did before the run' : ''}`];
  return before === undefined ? [] : [`before the run ${before}; it does now`];
}

/** What it has to say goes into `done`; the words are for the end of the run. */
async function perform(step: SnapraidStepName, work: ArrayWork, done: Maintained): Promise<string[]> {
  switch (step) {
    case 'touch':
      await touch(work, done.seen);
      return [];
    case 'sync': {
      const synced = await sync(work);
      done.seen = undefined;
      if (synced.restorePoint !== undefined) done.restorePoint = synced.restorePoint;
      if (synced.state === 'not due') return [`no sync: ${synced.why}`];
      done.warnings.push(...synced.warnings, ...(await keepCopies(work)));
      return [`sync ${syncWords(synced)}`];
    }
    case 'scrub':
      return scrubAfter(work, done);
    case 'smart':
      done.warnings.push(...(await smart(work)));
      return [];
  }
}

/** What a sync before it has proved stays proved, also when nobody wants the repair of bad blocks, or answers. */
async function scrubAfter(work: ArrayWork, done: Maintained): Promise<string[]> {
  try {
    const found = await scrub(work);
    done.warnings.push(...found.warnings);
    return [scrubWords(found)];
  } catch (error) {
    const { code, message } = diagnose(error);
    const isKept = code === 'HF_NOT_APPROVED' && done.restorePoint !== undefined;
    if (!isKept || !patched('2026-11-a-sync-stands-without-the-repair')) throw error;
    work.report.step(`${work.source.resource}: repair`, 'warned', message);
    done.warnings.push(`bad blocks were found: ${message}`);
    return ['the scrub found bad blocks'];
  }
}
