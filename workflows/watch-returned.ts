import { continueAsNew, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import type { WatchInput, WatchReport } from '../contracts/failover.js';
import { diagnose } from './steps/failure.js';
import { waitOnHost } from './steps/on-host.js';
import { openReport, type Report } from './steps/report.js';

/** Started by a failover whose source did not answer: makes that stand by when it comes back, tells people, and ends. It holds nothing. */
export async function watchReturned(input: WatchInput): Promise<{ found: string[] }> {
  const report = openReport(input);
  const all: string[] = [];
  let told: string[] = [];
  for (;;) {
    const seen = await look(input, told, report);
    if (seen === undefined) continue;
    if (seen.found.length > 0) await tell(input, seen.found, report, `${all.length}`);
    all.push(...seen.found);
    told = seen.open;
    if (seen.isOver) return { found: all };
  }
}

/** A holdfast.yaml that cannot be read ends a step at once; it is mended some day, and this goes on. */
async function look(input: WatchInput, told: string[], report: Report): Promise<WatchReport | undefined> {
  const { job, store, resources, host, deadHostAfterMs } = input;
  const { workflowId: run, continueAsNewSuggested } = workflowInfo();
  if (continueAsNewSuggested) await continueAsNew<typeof watchReturned>(input);
  const name = `wait for the return of ${resources.join(', ')}`.slice(0, 200);
  report.step(name, 'running', `while the replica in ${store} is the one in use`);
  const steps = waitOnHost(host, deadHostAfterMs, name);
  const step = { job, run, store, resources, told, retryForMs: Number.MAX_SAFE_INTEGER };
  try {
    const seen = await steps.zfsWatchReturned(step);
    const note = seen.found.join('; ') || 'nothing is left to wait for';
    report.step(name, seen.found.length > 0 ? 'warned' : 'done', note);
    return seen;
  } catch (error) {
    if (isCancellation(error)) throw error;
    report.step(name, 'failed', diagnose(error).message);
    await sleep('15m');
    return undefined;
  }
}

const tell = ({ job }: WatchInput, [what = '', ...lines]: string[], report: Report, digest: string) =>
  report.tell({
    event: 'failed',
    what,
    lines,
    code: 'HF_FAILED_OVER',
    next: `Look at who wrote to it since it came back; "holdfast do ${job} failback" brings everything back`,
    // Each of several messages of this run is one of its own.
    digest,
  });
