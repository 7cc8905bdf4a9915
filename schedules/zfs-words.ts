import type { Operation } from '../config/lookup.js';
import type { Config, ZfsSnapshotJob } from '../config/schema.js';
import { code, durationWords, listWords, promise } from './words.js';

/** What the Web UI shows of the jobs that ZFS itself does. */

/** "snapshots of kubernetes, vms": the line in the lists of the Web UI. */
export function zfsSummary({ operation }: Operation, job: ZfsSnapshotJob): string {
  const of = listWords(job.resources, 5);
  return operation === 'prune' ? `retention of the snapshots of ${of}` : `snapshots of ${of}`;
}

/** What is done to which datasets, in lines of Markdown. */
export function zfsLines(config: Config, { operation }: Operation, job: ZfsSnapshotJob): string[] {
  const of = listWords(
    job.resources.map((name) => datasetWords(config, name)),
    20,
  );
  const hooks = [...job.before, ...job.after];
  const lines = [`Of: ${of}`, `Named: ${code(job.name)}`, `Keeps: ${keepWords(job)}`];
  if (operation === 'prune') return [...lines, 'Only snapshots that this job made are ever removed'];
  return [
    ...lines,
    ...(hooks.length > 0 ? [`Hooks: ${listWords(hooks, 10)}`] : []),
    promise('the newest snapshot is never older than', job.objective.rpo),
  ];
}

function datasetWords(config: Config, name: string): string {
  const resource = config.resources[name];
  return resource?.dataset === undefined ? name : `${name} (${code(`${resource.host}:${resource.dataset}`)})`;
}

const periods = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

function keepWords({ keep }: ZfsSnapshotJob): string {
  if (!keep) return 'everything';
  const counted = periods.flatMap((period) =>
    keep[period] === undefined ? [] : [`${keep[period]} ${period}`],
  );
  const young = keep.within === undefined ? [] : [`all of the last ${durationWords(keep.within)}`];
  return [...counted, ...young].join(', ');
}
