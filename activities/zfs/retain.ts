import type { RetentionReport, RetentionStepInput } from '../../contracts/zfs.js';
import { now } from '../../system/clock.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { destroySnapshots, type Left } from './destroy.js';
import type { Doomed } from './destroy-command.js';
import { openZfs, selectionOf, snapshotJob } from './job.js';
import { listTrees, type Zfs } from './listing.js';
import { judgeSnapshots, type Verdict } from './retention.js';
import { type Judged, judgePlan } from './retention-guard.js';
import { approvedOf, keepPlan } from './retention-plan.js';
import { selectDatasets } from './select.js';
import type { Dataset, Listing } from './types.js';

/** Retention of a job's own snapshots: list, judge, destroy what was judged, list again. */

/** Applies the job's `keep`, or says why not. */
export async function retainSnapshots(tools: Tools, input: RetentionStepInput): Promise<RetentionReport> {
  const { keep, objective, schedule } = snapshotJob(tools, input);
  const { job } = input;
  if (!keep) return { kept: 0, removed: 0, reasons: {}, everything: true, warnings: [] };
  tools.progress({ phase: 'choosing snapshots' });
  const zfs = openZfs(tools, input.resources[0] ?? '');
  const nowS = now().getTime() / 1000;
  const timezone = schedule?.timezone ?? 'UTC';
  const byDataset = (await ownDatasets(tools, zfs, input)).map((dataset) =>
    judgeSnapshots(dataset, { job, keep, nowS, timezone }),
  );
  const rpoS = objective.rpo === undefined ? undefined : objective.rpo / 1000;
  const judged = judgePlan(byDataset, { nowS, rpoS });
  return carryOut(tools, zfs, input, { verdicts: byDataset.flat(), judged });
}

interface Plan {
  verdicts: readonly Verdict[];
  judged: Judged;
}

async function carryOut(
  tools: Tools,
  zfs: Zfs,
  input: RetentionStepInput,
  { verdicts, judged }: Plan,
): Promise<RetentionReport> {
  const report = reportOf(verdicts);
  const doomed = verdicts.filter(({ reasons }) => reasons.length === 0);
  if (doomed.length === 0) return report;
  const nothing = { ...report, kept: verdicts.length };
  if (judged.refused !== undefined) return { ...nothing, refused: judged.refused };
  const { unusual: what, digest } = judged;
  if (what !== undefined && input.digest === undefined) {
    await keepPlan(tools, digest, doomed);
    return { ...nothing, asks: { digest, what, removes: doomed.length } };
  }
  const approved = input.digest === undefined ? doomed : await approvedOf(tools, input.digest, doomed);
  const done = await remove(tools, zfs, input, { doomed: approved, verdicts });
  const { job, run } = input;
  const { kept, removed } = done;
  await addEvidence(tools.host, { kind: 'snapshots-removed', run, job, kept, removed });
  return { ...report, ...done };
}

const rootsOf = ({ config }: Tools, resources: readonly string[]): string[] => [
  ...new Set(resources.map((resource) => selectionOf(config, resource).dataset)),
];

async function ownDatasets(tools: Tools, zfs: Zfs, { resources }: RetentionStepInput): Promise<Dataset[]> {
  const listing = await listTrees(zfs, { roots: rootsOf(tools, resources) });
  const all = resources.flatMap(
    (resource) => selectDatasets(listing, selectionOf(tools.config, resource)).datasets,
  );
  return [...new Set(all)];
}

function reportOf(verdicts: readonly Verdict[]): RetentionReport {
  const reasons: Record<string, number> = {};
  for (const reason of verdicts.flatMap((verdict) => verdict.reasons)) {
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  const kept = verdicts.filter((verdict) => verdict.reasons.length > 0).length;
  return { kept, removed: 0, reasons, warnings: [] };
}

async function remove(
  tools: Tools,
  zfs: Zfs,
  { resources }: RetentionStepInput,
  { doomed, verdicts }: { doomed: readonly Verdict[]; verdicts: readonly Verdict[] },
): Promise<Pick<RetentionReport, 'kept' | 'removed' | 'warnings'>> {
  for (const { dataset, snapshot } of doomed)
    tools.log(`remove ${dataset}@${snapshot.name} (${snapshot.guid}): no rule keeps it`);
  tools.progress({ phase: `removing ${doomed.length} snapshots` });
  const left = await destroySnapshots(tools, zfs, doomed.map(doomedOf));
  const after = await listTrees(zfs, { roots: rootsOf(tools, resources) });
  const stayed = doomed.filter((verdict) => isThere(after, verdict));
  const lost = verdicts.filter(
    (verdict) => verdict.reasons.length > 0 && after.has(verdict.dataset) && !isThere(after, verdict),
  );
  const removed = doomed.length - stayed.length;
  return {
    kept: verdicts.length - removed - lost.length,
    removed,
    warnings: [...stayedWords(stayed, left), ...lostWords(lost)],
  };
}

const doomedOf = ({ dataset, snapshot }: Verdict): Doomed => ({
  dataset,
  snapshot: snapshot.name,
  guid: snapshot.guid,
});

const isThere = (listing: Listing, { dataset, snapshot }: Verdict): boolean =>
  listing.get(dataset)?.snapshots.some(({ guid }) => guid === snapshot.guid) === true;

const namedAtMost = 5;

function stayedWords(stayed: readonly Verdict[], left: Left): string[] {
  const named = stayed.slice(0, namedAtMost).map(({ dataset, snapshot }) => {
    const name = `${dataset}@${snapshot.name}`;
    return `${name} was to go and stayed: ${left.get(name) ?? 'nobody says why'}`.slice(0, 400);
  });
  const more = stayed.length - named.length;
  return more > 0 ? [...named, `… and ${more} more stayed`] : named;
}

/** Somebody else removes our snapshots, or we removed what was to stay: either way it must be looked at. */
function lostWords(lost: readonly Verdict[]): string[] {
  const [first] = lost;
  if (!first) return [];
  return [
    `${lost.length} snapshots that were to stay are gone, ${first.dataset}@${first.snapshot.name} among them`,
  ];
}
