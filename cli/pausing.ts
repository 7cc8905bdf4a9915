import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';
import { findJob } from './jobs.js';
import { printable } from './printable.js';

/** `pause JOB` and `resume JOB`: all schedules of the job, also those that an older file has left behind. */
export async function setPaused(
  context: Context,
  job: string,
  { paused, note }: { paused: boolean; note?: string },
): Promise<number> {
  const config = await context.config();
  findJob(config, job);
  const { client } = await context.temporal();
  const { pauseJob, resumeJob } = await import('../schedules/control.js');
  const results = await (paused ? pauseJob : resumeJob)(client, config, job, note ?? '');
  if (context.json) context.out(JSON.stringify(results, null, 2));
  else
    for (const { id, done, note } of results)
      context.out(printable(`${id}: ${words[done](paused)}${note ? ` (${note})` : ''}`));
  return exitCodes.done;
}

const words = {
  paused: () => 'paused',
  resumed: () => 'resumed',
  already: (paused: boolean) => (paused ? 'was paused already' : 'was not paused'),
  missing: () => 'not applied yet: run "holdfast apply"',
};
