import type { RetentionReport } from '../../contracts/zfs.js';
import type { Tools } from '../door.js';
import { destroySnapshots, type Left } from './destroy.js';
import type { Doomed } from './destroy-command.js';
import type { Zfs } from './listing.js';
import type { Verdict } from './retention.js';
import type { Judged } from './retention-guard.js';
import { approvedOf, keepPlan } from './retention-plan.js';
import type { Listing } from './types.js';

/** What was judged is destroyed, or refused, or shown to a human first; afterwards it is looked again. */

export interface RetentionPlan {
  verdicts: readonly Verdict[];
  judged: Judged;
  /** Part of a file name: tells the plans of one run apart. */
  of: string;
  /** Of the plan that a human has approved. */
  digest: string | undefined;
}

/** Where it is done, and how what is left is seen. */
export interface Place {
  zfs: Zfs;
  list(): Promise<Listing>;
  /** What must be let go before some can go. */
  letGo?(doomed: readonly Verdict[]): Promise<void>;
  /** For what stayed although it was let go. */
  holdAgain?(stayed: readonly Verdict[]): Promise<void>;
}

/** What really went is what the new listing no longer shows. */
export async function carryOut(tools: Tools, place: Place, plan: RetentionPlan): Promise<RetentionReport> {
  const { verdicts, judged, of } = plan;
  const report = reportOf(verdicts);
  const doomed = verdicts.filter(({ reasons }) => reasons.length === 0);
  if (doomed.length === 0) return report;
  const nothing = { ...report, kept: verdicts.length };
  if (judged.refused !== undefined) return { ...nothing, refused: judged.refused };
  const { unusual: what, digest } = judged;
  if (what !== undefined && plan.digest === undefined) {
    await keepPlan(tools, of, digest, doomed);
    return { ...nothing, asks: { digest, what, removes: doomed.length } };
  }
  const approved = plan.digest === undefined ? doomed : await approvedOf(tools, of, plan.digest, doomed);
  return { ...report, ...(await remove(tools, place, { doomed: approved, verdicts })) };
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
  place: Place,
  { doomed, verdicts }: { doomed: readonly Verdict[]; verdicts: readonly Verdict[] },
): Promise<Pick<RetentionReport, 'kept' | 'removed' | 'warnings'>> {
  for (const { dataset, snapshot } of doomed)
    tools.log(`remove ${dataset}@${snapshot.name} (${snapshot.guid}): no rule keeps it`);
  tools.progress({ phase: `removing ${doomed.length} snapshots` });
  const left = await letGoAndDestroy(tools, place, doomed);
  const after = await place.list();
  const stayed = doomed.filter((verdict) => isThere(after, verdict));
  if (stayed.length > 0) await place.holdAgain?.(stayed);
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

/** Broken off in between, nothing that is still there is left without its hold. */
async function letGoAndDestroy(tools: Tools, place: Place, doomed: readonly Verdict[]): Promise<Left> {
  try {
    await place.letGo?.(doomed);
    return await destroySnapshots(tools, place.zfs, doomed.map(doomedOf));
  } catch (error) {
    await place.holdAgain?.(doomed).catch((also) => tools.log(`Holds were not set again: ${also}`));
    throw error;
  }
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
