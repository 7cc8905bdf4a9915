import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { AwayHost } from '../../contracts/away.js';
import { isRunning } from './alive.js';
import { askHost } from './on-host.js';
import type { Report } from './report.js';

/** While a store is away its copies lag, and what is held for them fills the source: it is looked at all the same; what is told of it. */
export async function relieveSources(
  job: string,
  away: readonly AwayHost[],
  report: Report,
): Promise<string[]> {
  const gone = new Set(away.flatMap(({ resources }) => resources));
  const told: string[] = [];
  for (const copy of away.flatMap(({ lagging = [] }) => lagging)) {
    if (gone.has(copy.resource)) continue;
    const name = `what ${copy.resource} keeps for ${copy.store}`;
    try {
      const warnings = await relieve(job, copy, name);
      if (warnings.length > 0) report.step(name, 'warned', warnings.join('; ').slice(0, 1000));
      told.push(...warnings.map((words) => `${copy.resource} → ${copy.store}: ${words}`));
    } catch (error) {
      if (isCancellation(error)) throw error;
      // It is a look that the run can do without: the next one looks again.
      report.step(name, 'skipped', 'it could not be asked');
    }
  }
  return told;
}

/** What a run holds is let go only when that run has ended, which only the engine knows. */
async function relieve(
  job: string,
  { resource, store, host }: NonNullable<AwayHost['lagging']>[number],
  name: string,
): Promise<string[]> {
  const step = { job, run: workflowInfo().workflowId, resource, store, retryForMs: 0 };
  const steps = askHost(host, `look at ${name}`);
  const { warnings, holdingRuns = [] } = await steps.zfsRelieveSource(step);
  const endedRuns: string[] = [];
  for (const run of holdingRuns) if (!(await isRunning(run))) endedRuns.push(run);
  if (endedRuns.length === 0) return warnings;
  return (await steps.zfsRelieveSource({ ...step, endedRuns })).warnings;
}
