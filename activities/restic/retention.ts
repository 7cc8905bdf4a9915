import type { ForgetPlan, Snapshot } from './parse.js';

/** Holds retention back where the policy alone would do harm. Pure: listings in, verdict with reasons out. */

export interface RetentionQuestion {
  resource: string;
  /** Every copy of the resource by this job, oldest first. */
  listing: readonly Snapshot[];
  /** What the policy says. */
  plan: Pick<ForgetPlan, 'keep' | 'remove'>;
  /** Ids of the copies that were proved good. */
  good: ReadonlySet<string>;
  /** Promised age of the newest good copy. */
  rpoMs?: number | undefined;
  nowMs: number;
}

export interface RetentionVerdict {
  remove: string[];
  kept: string[];
  /** Why nothing is removed of this resource. */
  refused?: string;
  warnings: string[];
}

/** Which copies may go. The newest good copy never does, nor the last of all, nor anything while copies are overdue. */
export function judgeRetention(question: RetentionQuestion): RetentionVerdict {
  const { listing, plan } = question;
  const all = listing.map(({ id }) => id);
  const refused = whyRefused(question);
  if (refused !== undefined) return { remove: [], kept: all, refused, warnings: [] };
  const held = heldBack(question);
  const known = new Set(all);
  const remove = plan.remove.filter((id) => known.has(id) && !held.has(id));
  const removed = new Set(remove);
  const kept = all.filter((id) => !removed.has(id));
  const warnings = [...held].map(
    (id) => `Kept against the policy, because a bad copy stands in its place: ${id}`,
  );
  return { remove, kept, warnings };
}

function whyRefused({ listing, plan, good, rpoMs, nowMs, resource }: RetentionQuestion): string | undefined {
  if (plan.remove.length === 0) return undefined;
  const goodOnes = listing.filter(({ id }) => good.has(id));
  const newest = goodOnes.at(-1);
  if (!newest) return `no copy of "${resource}" is known to be good; run the job once`;
  const keeps = new Set(plan.keep);
  if (!listing.some(({ id }) => keeps.has(id))) return `the policy would remove every copy of "${resource}"`;
  if (newest.id !== listing.at(-1)?.id) {
    return `the newest copy of "${resource}" (${listing.at(-1)?.id.slice(0, 8)}) was not proved good`;
  }
  if (rpoMs !== undefined && nowMs - Date.parse(newest.time) > rpoMs) {
    return `the newest good copy of "${resource}" is of ${newest.time}, older than the objective: nothing is removed until there is a new one`;
  }
  return undefined;
}

/** Bad copies fill places of the policy: for each one kept, a good one that would go stays, the newest first. */
function heldBack({ listing, plan, good }: RetentionQuestion): Set<string> {
  const bad = plan.keep.filter((id) => !good.has(id)).length;
  const going = new Set(plan.remove);
  const candidates = listing.filter(({ id }) => going.has(id) && good.has(id)).map(({ id }) => id);
  return new Set(bad === 0 ? [] : candidates.slice(-bad));
}

/** How many copies each rule keeps; what no rule keeps was held back by us. */
export function countReasons(
  kept: readonly string[],
  reasons: ReadonlyMap<string, readonly string[]>,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of kept) {
    const own = reasons.get(id) ?? [];
    for (const reason of own.length > 0 ? own : ['held back']) counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}
