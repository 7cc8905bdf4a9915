import { CancellationScope } from '@temporalio/workflow';
import { asRunFailure, diagnose, nextStep, outcomeOf } from './failure.js';
import type { Report } from './report.js';

interface Ending {
  outcome: 'ok' | 'warnings' | 'skipped';
  summary?: string;
  warnings?: string[];
  copies?: { bytes: number; restorePoint: string }[];
  restorePoint?: string;
}

/** The frame of every run: what it ended with is a search attribute, and its failure has one of our codes. */
export async function endRun<R extends Ending>(report: Report, body: () => Promise<R>): Promise<R> {
  try {
    const result = await body();
    report.end(result.outcome, proved(result));
    await tellEnd(report, result);
    return result;
  } catch (error) {
    report.waitFor(undefined);
    report.end(outcomeOf(error));
    await tellFailure(report, error);
    throw asRunFailure(error);
  }
}

/** What has ended is told also when somebody cancels it just now. */
function tellEnd(report: Report, { outcome, summary = '', warnings = [] }: Ending): Promise<void> {
  const [what = '', ...lines] = summary.split('\n');
  return CancellationScope.nonCancellable(() =>
    report.tell({
      event: outcome === 'warnings' ? 'warnings' : 'ok',
      what: what || outcome,
      lines: [...lines, ...warnings.map((warning) => `warning: ${warning}`)],
    }),
  );
}

/** Who cancels a run knows of it. A no, and a question that nobody answered, are told: nothing was done. */
async function tellFailure(report: Report, error: unknown): Promise<void> {
  if (outcomeOf(error) === 'cancelled') return;
  const { code, message } = diagnose(error);
  const [what = '', ...lines] = message.split('\n');
  await CancellationScope.nonCancellable(() =>
    report.tell({ event: 'failed', what, lines, code, next: nextStep(error) }),
  );
}

/** The restore point of a run is the oldest of its copies: what holds for all of them. */
function proved({ copies = [], restorePoint }: Ending): { bytes?: number; restorePoint?: string } {
  if (copies.length === 0) return restorePoint === undefined ? {} : { restorePoint };
  return {
    bytes: copies.reduce((sum, { bytes }) => sum + bytes, 0),
    restorePoint: copies.map(({ restorePoint }) => restorePoint).sort()[0],
  };
}
