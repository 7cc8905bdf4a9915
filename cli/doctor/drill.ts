import type { DrillInput, DrillReport } from '../../contracts/doctor.js';
import { HoldfastError } from '../../contracts/errors.js';
import { operationName, workflowQueue, workflowTypes } from '../../contracts/names.js';
import type { Context } from '../context.js';
import { findHost, findJob, workerOfResource } from '../jobs.js';
import { startRun } from '../start.js';
import { showDrill } from './drill-view.js';

/** `doctor [HOST] --drill JOB`: plays mishaps on a scratch copy of the job and shows which message came. */

const timeoutMs = 30 * 60_000;

/** Waits for the end: a drill is short, and its table is what it is for. */
export async function drill(context: Context, job: string, host: string | undefined): Promise<number> {
  const config = await context.config();
  if (host !== undefined) findHost(config, host);
  const { resources, kind } = findJob(config, job);
  if (kind !== 'restic-backup')
    throw new HoldfastError(
      'HF_USAGE',
      `The job "${job}" (${kind}) has no drill: mishaps are played on backups`,
    );
  const resource = resources.find((name) => host === undefined || workerOfResource(config, name) === host);
  if (resource === undefined)
    throw new HoldfastError('HF_USAGE', `The job "${job}" has no resource on the host "${host}"`);
  const input: DrillInput = { job, resource, host: workerOfResource(config, resource) };
  const temporal = await context.temporal();
  const run = await startRun(
    temporal,
    {
      workflowType: workflowTypes.drillFailures,
      name: operationName(job, 'drill', 'backup'),
      args: [input],
      taskQueue: workflowQueue,
      searchAttributes: { HfJob: job, HfOperation: 'drill', HfHost: input.host, HfTool: 'restic' },
      staticSummary: `failure drill of ${job} on ${input.host}`,
      executionTimeoutMs: timeoutMs,
    },
    context.now(),
    { exclusive: false },
  );
  context.note(`${run}: playing mishaps on a scratch copy on ${input.host}, one to two minutes`);
  const report: DrillReport = await temporal.client.workflow.getHandle(run).result();
  return showDrill(context, run, report);
}
