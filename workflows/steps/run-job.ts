import type { AwayHost } from '../../contracts/away.js';
import type { JobInput, RunResult } from '../../contracts/jobs.js';
import { failure } from './failure.js';
import { fenceReturned } from './fence.js';
import { relieveSources } from './relieve.js';
import { openReport, type Report } from './report.js';
import { endRun } from './run.js';

/** The frame of every run of a job: what cannot be done now, because a host is known to be away, is left out before anything waits for it. */
export function runJob(
  input: JobInput,
  body: (present: JobInput, report: Report) => Promise<RunResult>,
): Promise<RunResult> {
  const report = openReport(input);
  return endRun(report, async () => {
    const away = stillAway(input);
    const [first] = away;
    if (!first) return body(input, report);
    const words = away.map((one) => one.words);
    for (const { host, words: why } of away) report.step(host, 'skipped', why);
    const fenced = await fenceReturned(input.job, away, report);
    if (first.covers === '' && fenced.length > 0)
      throw failure('HF_FAILED_OVER', fenced.join('; ').slice(0, 600));
    const relieved = await relieveSources(input.job, away, report);
    if (first.covers === '')
      return {
        outcome: 'skipped',
        copies: [],
        summary: `nothing was done: ${[...words, ...relieved].join('; ')}`.slice(0, 2000),
        warnings: relieved,
      };
    // What the run proves is only this: status must not take it for all that the job covers.
    report.covers(first.covers);
    const result = await body(withoutAway(input, away), report);
    const summary = [result.summary, ...words].join('; ');
    const told = [...fenced, ...relieved];
    if (told.length === 0) return { ...result, summary };
    const outcome = result.outcome === 'ok' ? 'warnings' : result.outcome;
    return { ...result, outcome, summary, warnings: [...told, ...result.warnings] };
  });
}

/** They come back one after the other: those that have are the first of the list. */
const stillAway = ({ away = [] }: JobInput): AwayHost[] => away.filter(({ untilMs }) => untilMs > Date.now());

/** A run that this one starts of its own is of what is left, and says itself what it covers. */
function withoutAway({ away: _, ...input }: JobInput, away: AwayHost[]): JobInput {
  const resources = new Set(away.flatMap((one) => one.resources));
  const stores = new Set(away.flatMap((one) => one.stores));
  return {
    ...input,
    sources: input.sources.filter(({ resource }) => !resources.has(resource)),
    stores: input.stores.filter((store) => !stores.has(store)),
  };
}
