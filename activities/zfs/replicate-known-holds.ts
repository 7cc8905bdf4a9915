import { fenceTag, holdTag } from './replicate-names.js';
import type { DatasetPlan, PlanInput } from './replicate-types.js';
import type { HoldTags } from './replicate-upkeep.js';
import type { Dataset, Snapshot } from './types.js';

/** What an earlier round of the same run has sent. */
export interface Sent {
  plans: readonly DatasetPlan[];
  run: string;
}

/**
 * Whose the holds of this very run are, without asking for them: two commands less. Where the only hold of such a snapshot is a stranger's
 * after all, its release under our tag is refused, and the next run asks.
 */
export function knownHolds(sent: Sent | undefined, { source, target, policy }: PlanInput): HoldTags {
  const known = new Map<string, string[]>();
  const note = (dataset: Dataset | undefined, tag: string, isMeant: (one: Snapshot) => boolean): void => {
    for (const one of dataset?.snapshots ?? [])
      if (one.holds === 1 && isMeant(one)) known.set(`${dataset?.name}@${one.name}`, [tag]);
  };
  for (const plan of sent?.plans ?? []) {
    const held = new Set(plan.holds);
    note(source.get(plan.source), holdTag(policy.destination, sent?.run ?? ''), ({ name }) => held.has(name));
    // The base of what was sent: it was fenced until now.
    note(target.get(plan.target), fenceTag, ({ guid }) => guid === plan.common?.guid);
  }
  return known;
}
