import type { RetentionReport, RetentionStepInput } from '../../contracts/zfs.js';
import { now } from '../../system/clock.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { openZfs, selectionOf, snapshotJob } from './job.js';
import { listTrees } from './listing.js';
import { judgeSnapshots } from './retention.js';
import { carryOut } from './retention-carry-out.js';
import { judgePlan } from './retention-guard.js';
import { selectDatasets } from './select.js';
import type { Dataset, Listing } from './types.js';

/** Retention of a job's own snapshots: list, judge, destroy what was judged, list again. */

/** Applies the job's `keep`, or says why not. */
export async function retainSnapshots(tools: Tools, input: RetentionStepInput): Promise<RetentionReport> {
  const { keep, objective, schedule } = snapshotJob(tools, input);
  const { job, run, digest } = input;
  if (!keep) return { kept: 0, removed: 0, reasons: {}, everything: true, warnings: [] };
  tools.progress({ phase: 'choosing snapshots' });
  const zfs = openZfs(tools, input.resources[0] ?? '');
  const list = (): Promise<Listing> => listTrees(zfs, { roots: rootsOf(tools, input.resources) });
  const nowS = now().getTime() / 1000;
  const timezone = schedule?.timezone ?? 'UTC';
  const byDataset = ownDatasets(tools, await list(), input).map((dataset) =>
    judgeSnapshots(dataset, { job, keep, nowS, timezone }),
  );
  const rpoS = objective.rpo === undefined ? undefined : objective.rpo / 1000;
  const judged = judgePlan(byDataset, { nowS, rpoS });
  const plan = { verdicts: byDataset.flat(), judged, of: '', digest };
  const report = await carryOut(tools, { zfs, list }, plan);
  const { kept, removed } = report;
  if (removed > 0) await addEvidence(tools.host, { kind: 'snapshots-removed', run, job, kept, removed });
  return report;
}

const rootsOf = ({ config }: Tools, resources: readonly string[]): string[] => [
  ...new Set(resources.map((resource) => selectionOf(config, resource).dataset)),
];

function ownDatasets(tools: Tools, listing: Listing, { resources }: RetentionStepInput): Dataset[] {
  const all = resources.flatMap(
    (resource) => selectDatasets(listing, selectionOf(tools.config, resource)).datasets,
  );
  return [...new Set(all)];
}
