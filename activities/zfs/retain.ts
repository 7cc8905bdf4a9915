import type { RetentionReport, RetentionStepInput } from '../../contracts/zfs.js';
import { now } from '../../system/clock.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { openZfs, selectionOf, snapshotJob, takenOf } from './job.js';
import { listTrees } from './listing.js';
import { judgeSnapshots, type Verdict } from './retention.js';
import { carryOut } from './retention-carry-out.js';
import { judgePlan, keepWhileLate } from './retention-guard.js';
import { holdAgain, letGo, type Relief, relieveOf } from './retention-room.js';
import { sendingBy } from './retention-transfers.js';
import { selectDatasets } from './select.js';
import type { Dataset, Listing } from './types.js';

/** Retention of a job's own snapshots: list, judge, destroy what was judged, list again. */

/** Applies the job's `keep`, or says why not. */
export async function retainSnapshots(tools: Tools, input: RetentionStepInput): Promise<RetentionReport> {
  const { keep, objective, schedule } = snapshotJob(tools, input);
  const { job, run, digest, endedRuns = [] } = input;
  if (!keep) return { kept: 0, removed: 0, reasons: {}, everything: true, warnings: [] };
  tools.progress({ phase: 'choosing snapshots' });
  const zfs = openZfs(tools, input.resources[0] ?? '');
  const list = (): Promise<Listing> => listTrees(zfs, { roots: rootsOf(tools, input.resources) });
  const nowS = now().getTime() / 1000;
  const timezone = schedule?.timezone ?? 'UTC';
  const own = ownDatasets(tools, await list(), input).map((dataset) => ({
    dataset,
    verdicts: judgeSnapshots(dataset, { job, keep, nowS, timezone }),
  }));
  const { releases, warnings, holdingRuns, ...relieved } = await relieveOf(tools, zfs, own, {
    sending: (tags) => sendingBy(tags, endedRuns),
  });
  const rpoS = objective.rpo === undefined ? undefined : objective.rpo / 1000;
  const { byDataset, ...circumstances } = keepWhileLate(relieved, { nowS, rpoS });
  const judged = judgePlan(byDataset, circumstances);
  const plan = { verdicts: byDataset.flat(), judged, of: '', digest };
  const place = {
    zfs,
    list,
    letGo: (doomed: readonly Verdict[]) => letGo(tools, zfs, releasesFor(doomed, releases)),
    holdAgain: (stayed: readonly Verdict[]) => holdAgain(tools, zfs, releasesFor(stayed, releases)),
  };
  const report = await carryOut(tools, place, plan);
  const { kept, removed } = report;
  if (removed > 0) await addEvidence(tools.host, { kind: 'snapshots-removed', run, job, kept, removed });
  return {
    ...report,
    ...(holdingRuns.length > 0 && { holdingRuns: holdingRuns.slice(0, runsAtMost) }),
    ...(report.warnings.length > 0 && { remarks: report.warnings }),
    warnings: [...warnings, ...report.warnings],
  };
}

/** Each is asked for by a signal, and stands in the history. */
const runsAtMost = 20;

/** What nobody has approved keeps its holds. */
const releasesFor = (doomed: readonly Verdict[], releases: Relief['releases']): Relief['releases'] => {
  const names = new Set(doomed.map(({ dataset, snapshot }) => `${dataset}@${snapshot.name}`));
  return releases.filter(({ snapshot }) => names.has(snapshot));
};

const rootsOf = ({ config }: Tools, resources: readonly string[]): string[] => [
  ...new Set(resources.map((resource) => selectionOf(config, resource).dataset)),
];

function ownDatasets(tools: Tools, listing: Listing, { resources }: RetentionStepInput): Dataset[] {
  const all = resources.flatMap(
    (resource) => selectDatasets(listing, takenOf(tools.config, resource)).datasets,
  );
  return [...new Set(all)];
}
