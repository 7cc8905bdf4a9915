import { namePattern } from '../contracts/names.js';
import type { Context } from './context.js';
import { findJob } from './jobs.js';
import { bytes, table } from './render.js';
import { duration, localTime, localZone } from './time.js';
import { listRuns, type RunRow, type RunState } from './visibility.js';

/** The newest runs; of a job that the file does not know any more, as long as Temporal remembers it. */
export async function newestRuns(
  context: Context,
  job: string | undefined,
  limit: number,
): Promise<RunRow[]> {
  const config = await context.config();
  if (job !== undefined && !namePattern.test(job)) findJob(config, job);
  const temporal = await context.temporal();
  const rows: RunRow[] = [];
  for await (const row of listRuns(temporal, job === undefined ? {} : { job }, Math.min(limit, 200))) {
    rows.push(row);
    if (rows.length >= limit) break;
  }
  if (rows.length === 0 && job !== undefined) findJob(config, job);
  return rows.sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime());
}

/** One line for each run; the zone is named in the head of the table. */
export function runsTable(context: Context, rows: readonly RunRow[]): string {
  if (rows.length === 0) return 'No runs yet.';
  const now = context.now();
  return table(
    context,
    ['RUN', 'state', `started (${localZone()})`, 'took', 'bytes', 'waits for'],
    rows.map((row) => [
      row.run,
      colouredState(context, row.state),
      localTime(row.startedAt),
      duration((row.closedAt ?? now).getTime() - row.startedAt.getTime()),
      row.bytes === undefined ? '' : bytes(row.bytes),
      row.state === 'running' ? (row.waiting ?? '') : '',
    ]),
  );
}

/** Green only for what is really good. */
export function colouredState({ colours }: Pick<Context, 'colours'>, state: RunState): string {
  if (state === 'ok') return colours.green(state);
  if (state === 'running') return colours.cyan(state);
  if (state === 'warnings' || state === 'skipped' || state === 'cancelled') return colours.yellow(state);
  return state === 'done' ? state : colours.red(state);
}
