import { readdirSync, readFileSync } from 'node:fs';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Progress, RunReport } from '../../contracts/jobs.js';
import { queryNames } from '../../contracts/names.js';
import type { Estate } from './estate.js';
import { waitFor } from './wait.js';

/** What tests ask of a run while it goes on, straight from Temporal and the kernel, not through our command line. */

export async function progressOf({ client }: Estate, run: string): Promise<Progress | undefined> {
  const { raw } = await client.workflow.getHandle(run).describe();
  for (const activity of raw.pendingActivities ?? []) {
    const [details] = activity.heartbeatDetails?.payloads ?? [];
    if (details) return defaultPayloadConverter.fromPayload<Progress>(details);
  }
  return undefined;
}

/** Waits until the upload (or the restore) is really on its way. */
export const underWay = (estate: Estate, run: string, bytes = 1): Promise<Progress> =>
  waitFor(
    async () => {
      const progress = await progressOf(estate, run);
      return progress && progress.bytesDone >= bytes ? progress : undefined;
    },
    { timeoutMs: 60_000, what: `${run} to have moved ${bytes} bytes` },
  );

/** The run's own report. */
export const reportOf = ({ client }: Estate, run: string): Promise<RunReport> =>
  client.workflow.getHandle(run).query<RunReport>(queryNames.report);

/** Waits until the run says that it waits, in words that hold these. */
export const saysItWaitsFor = (estate: Estate, run: string, words: RegExp | string): Promise<unknown> =>
  waitFor(async () => ((await reportOf(estate, run)).waitingFor ?? '').match(words) !== null, {
    timeoutMs: 60_000,
    what: `${run} to wait for ${words}`,
  });

/** Pids of restic processes that work for this estate, by what is in their arguments. */
export function resticPids(verb: string, argument: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return (
          /restic$/.test(words[0] ?? '') &&
          words.includes(verb) &&
          words.some((word) => word.includes(argument))
        );
      } catch {
        return false;
      }
    });
}

/** The run that a command printed: `<job>[.<operation>]-<UTC time>`. */
export function runIn(output: string): string {
  const run = /[a-z0-9-]+(?:\.[a-z0-9-]+)?-\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z/.exec(output)?.[0];
  if (run === undefined) throw new Error(`no run in: ${output}`);
  return run;
}
