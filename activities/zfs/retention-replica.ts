import type { Brought } from './brought.js';
import { replicaOf } from './replicate-moves.js';
import { isParked } from './replicate-names.js';
import type { DatasetPlan, PlanInput } from './replicate-types.js';
import { judgeOwn, type RetentionRules, type Verdict } from './retention.js';
import type { Dataset } from './types.js';

/** Which snapshots of replicas stay and which go. Pure: a look at both ends in, a verdict with its reason for each out. */

export interface ReplicaRules extends RetentionRules {
  /** Promised age of the newest state on the target. Seconds. */
  rpoS: number | undefined;
  /** Something newer did not fit onto the target: to wait for it before anything goes would be to wait for ever. */
  crowded?: boolean;
}

/** For each replica what the job has brought there. What was put aside by an approval is the operator's. */
export function judgeReplicas(
  { plans, input }: { plans: readonly DatasetPlan[]; input: PlanInput },
  brought: Brought,
  rules: ReplicaRules,
): Verdict[][] {
  return plans.flatMap((plan) => {
    const replica = replicaOf(input.target, plan);
    if (!replica || isParked(replica.name)) return [];
    const own = replica.snapshots.filter(({ guid }) => brought.has(guid));
    const whole = whyWhole(plan, rules);
    const verdicts =
      whole === undefined
        ? judgeOwn(replica, own, rules).map((verdict) => withCommon(verdict, commonTxg(replica, plan)))
        : own.map((snapshot) => ({ dataset: replica.name, snapshot, reasons: [whole] }));
    return [verdicts];
  });
}

/** The base of the next stream, also where the source has only a bookmark of it. */
function withCommon(verdict: Verdict, txg: number): Verdict {
  const { snapshot, reasons } = verdict;
  if (snapshot.createtxg < txg) return verdict;
  const reason = snapshot.createtxg === txg ? 'newest common' : 'newer than the newest common';
  return { ...verdict, reasons: [...reasons, reason] };
}

/** By the target's own count; one that is not found keeps everything. */
const commonTxg = ({ snapshots }: Dataset, { common }: DatasetPlan): number =>
  snapshots.find(({ guid }) => guid === common?.guid)?.createtxg ?? 0;

/** Old states are let go only where a new one is proved; where something is wrong, they may be the last good ones. */
function whyWhole(
  { kind, source, common }: DatasetPlan,
  { nowS, rpoS, crowded = false }: ReplicaRules,
): string | undefined {
  if (source === '') return 'its source is gone';
  const inOrder = ['nothing', 'incremental', ...(crowded ? ['resume'] : [])];
  if (!common || !inOrder.includes(kind)) return 'its replica is not in order';
  if (crowded) return undefined;
  if (rpoS !== undefined && nowS - common.creationS > rpoS)
    return 'its newest state is older than the objective';
  return undefined;
}
