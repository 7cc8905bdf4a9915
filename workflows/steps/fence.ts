import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { AwayHost } from '../../contracts/away.js';
import { askHost } from './on-host.js';
import type { Report } from './report.js';

/** Sources that are away but answer while their replica is in use are made to stand by; what is told of them. */
export async function fenceReturned(
  job: string,
  away: readonly AwayHost[],
  report: Report,
): Promise<string[]> {
  const gone = new Set(away.flatMap(({ stores }) => stores));
  const run = workflowInfo().workflowId;
  const told: string[] = [];
  for (const { resource, store, host } of away.flatMap(({ replicas = [] }) => replicas)) {
    if (gone.has(store)) continue;
    const name = `whether ${resource} came back while its replica in ${store} is in use`;
    const steps = askHost(host, `ask ${name}`);
    try {
      const step = { job, run, resource, store, retryForMs: 0, settings: {} };
      const { fenced } = await steps.zfsFenceReturned(step);
      if (fenced === undefined) continue;
      report.step(name, 'warned', fenced);
      told.push(fenced);
    } catch (error) {
      if (isCancellation(error)) throw error;
      // It is a look that the run can do without: the next one looks again.
      report.step(name, 'skipped', 'it could not be asked');
    }
  }
  return told;
}
