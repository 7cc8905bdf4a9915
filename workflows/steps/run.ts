import { asRunFailure, outcomeOf } from './failure.js';
import type { Report } from './report.js';

interface Ending {
  outcome: 'ok' | 'warnings' | 'skipped';
  copies?: { bytes: number; restorePoint: string }[];
  restorePoint?: string;
}

/** The frame of every run: what it ended with is a search attribute, and its failure has one of our codes. */
export async function endRun<R extends Ending>(report: Report, body: () => Promise<R>): Promise<R> {
  try {
    const result = await body();
    report.end(result.outcome, proved(result));
    return result;
  } catch (error) {
    report.waitFor(undefined);
    report.end(outcomeOf(error));
    throw asRunFailure(error);
  }
}

/** The restore point of a run is the oldest of its copies: what holds for all of them. */
function proved({ copies = [], restorePoint }: Ending): { bytes?: number; restorePoint?: string } {
  if (copies.length === 0) return restorePoint === undefined ? {} : { restorePoint };
  return {
    bytes: copies.reduce((sum, { bytes }) => sum + bytes, 0),
    restorePoint: copies.map(({ restorePoint }) => restorePoint).sort()[0],
  };
}
