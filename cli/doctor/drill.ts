import type { DrillInput, DrillReport } from '../../contracts/doctor.js';
import { HoldfastError } from '../../contracts/errors.js';
import { operationName, workflowQueue, workflowTypes } from '../../contracts/names.js';
import type { Context } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { findHost, findJob, workerOfResource } from '../jobs.js';
import { printable } from '../printable.js';
import { table } from '../render.js';
import { startRun } from '../start.js';

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
  context.note(`${run}: playing mishaps on a scratch copy on ${input.host}, about a minute`);
  const report: DrillReport = await temporal.client.workflow.getHandle(run).result();
  return show(context, run, report);
}

function show(context: Context, run: string, report: DrillReport): number {
  const passed = report.scenes.length > 0 && report.scenes.every((scene) => scene.passed);
  if (context.json) context.out(JSON.stringify({ run, passed, ...report }, null, 2));
  else for (const line of drillLines(context, report, passed)) context.out(line);
  return passed && report.removed ? exitCodes.done : exitCodes.failed;
}

function drillLines(context: Context, { scenes, sample, removed }: DrillReport, passed: boolean): string[] {
  const rows = scenes.map((scene) => [
    scene.passed ? 'came' : 'FAILED',
    scene.mishap,
    scene.came,
    scene.endState,
  ]);
  const messages = scenes.flatMap(({ mishap, message, passed: right, expected }) => [
    ...(message ? [`${mishap}: ${message}`] : []),
    ...(right ? [] : [`${mishap}: ${expected} should have come`]),
  ]);
  const gone = removed
    ? 'everything of the drill is removed again'
    : 'the scratch folder could NOT be removed';
  return [
    table(context, ['message', 'mishap', 'code', 'afterwards'], rows),
    ...messages.map(printable),
    `${passed ? 'Every message came' : 'NOT every message came'}. Sample: ${sample}; ${gone}.`,
  ];
}
