import { HoldfastError } from '../contracts/errors.js';
import type { RestoreResult, RunResult } from '../contracts/jobs.js';
import type { Context, Temporal } from './context.js';
import { exitCodes, exitOfOutcome } from './exit-codes.js';
import { describeFailure } from './fail.js';
import type { Followed, FollowOptions } from './follow.js';
import type { LineFollower } from './follow-lines.js';
import { printable } from './printable.js';

/** Any result of ours; workflows that have nothing to tell hand back less. */
export type AnyResult = Partial<RunResult & RestoreResult> | undefined;

/** Follows a run to its end, prints what it did, and gives the exit code that its outcome stands for. */
export async function followToEnd(
  context: Context,
  temporal: Temporal,
  run: string,
  lines?: LineFollower,
): Promise<number> {
  const end = await followAndTell(context, temporal, run, { lines });
  return 'result' in end ? tellEnd(context, run, end.result) : exitCodes.interrupted;
}

/** Follows; a bad end is told on standard output before its error goes on. */
export async function followAndTell(
  context: Context,
  temporal: Temporal,
  run: string,
  options: FollowOptions,
): Promise<Followed<AnyResult>> {
  const { followRun } = await import('./follow.js');
  return followRun<AnyResult>(context, temporal, run, options).catch((error: unknown) => {
    if (!context.json) context.out(`${run}: ${badEnding(error)}`);
    throw error;
  });
}

/** Prints what a run did, and gives the exit code that its outcome stands for. */
export function tellEnd(context: Context, run: string, result: AnyResult): number {
  if (context.json) context.out(JSON.stringify({ run, ...result }, null, 2));
  else for (const line of endLines(run, result)) context.out(line);
  const outcome = result?.outcome;
  // What says nothing about its end is not counted as good.
  if (!outcome) throw new HoldfastError('HF_INTERNAL', `${run} ended without saying how`);
  return exitOfOutcome(outcome);
}

/** The last line on standard output; the reason follows on standard error. */
function badEnding(error: unknown): string {
  const { code, exit } = describeFailure(error);
  if (code === 'HF_CANCELLED') return 'cancelled';
  return exit === exitCodes.refused ? 'refused' : 'failed';
}

/** The summary, what was proved, and every warning: nothing of it may be lost in a scrolled-away bar. */
export function endLines(run: string, result: AnyResult): string[] {
  const words = { ok: 'done', warnings: 'done with warnings', skipped: 'skipped' };
  const outcome = words[result?.outcome ?? 'ok'];
  const report = result?.report;
  const warnings = [...new Set([...(result?.warnings ?? []), ...(report?.warnings ?? [])])];
  return [
    `${run}: ${outcome}`,
    ...(result?.summary ? result.summary.split('\n') : []),
    ...(report && report.verified.length > 0 ? [`verified: ${report.verified.join(', ')}`] : []),
    ...(report && report.notVerified.length > 0 ? [`not verified: ${report.notVerified.join(', ')}`] : []),
    ...warnings.map((warning) => `warning: ${warning}`),
  ].map(printable);
}
