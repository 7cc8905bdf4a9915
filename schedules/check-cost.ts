import { cronIntervals, parseCron } from '../config/cron.js';

/** What reading a repository part by part costs. Pure: measured numbers in, estimates out; what was never measured stays unknown. */

export interface CheckMeasures {
  cron: string;
  /** Each check reads one part of so many. */
  parts: number;
  /** Of the newest proved copies in one store. */
  bytes?: number;
  /** The newest clean check that read data: how long it took for one store, and one part of how many it was. */
  last?: { durationMs: number; parts: number };
}

export interface CheckCost {
  daysForAll: number;
  bytesPerCheck?: number;
  bytesPerDay?: number;
  bytesPerSecond?: number;
  hoursPerCheck?: number;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** The source's size stands for the repository's: history makes that larger, compression smaller. */
export function checkCost({ cron, parts, bytes, last }: CheckMeasures): CheckCost {
  const { meanMs } = cronIntervals(parseCron(cron));
  const daysForAll = (parts * meanMs) / dayMs;
  const isMeasured = last !== undefined && last.durationMs > 0;
  // As long as the same share of the same data takes the same time, the size need not be known.
  const hoursPerCheck = isMeasured ? (last.durationMs * last.parts) / parts / hourMs : undefined;
  if (bytes === undefined) return { daysForAll, ...(hoursPerCheck !== undefined && { hoursPerCheck }) };
  const bytesPerCheck = bytes / parts;
  return {
    daysForAll,
    bytesPerCheck,
    bytesPerDay: (bytesPerCheck * dayMs) / meanMs,
    ...(hoursPerCheck !== undefined && {
      hoursPerCheck,
      bytesPerSecond: bytesPerCheck / (hoursPerCheck * 3600),
    }),
  };
}
