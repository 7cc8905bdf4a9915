import type { ProvedReplicas, ReplicaLag, ReplicaState, ReplicaStates } from '../../contracts/replication.js';
import { sha256 } from '../../system/sha256.js';
import { newestCommon, wantedAfter } from './replicate-base.js';
import { replicaOf } from './replicate-moves.js';
import { stopping } from './replicate-proof.js';
import type { DatasetPlan, PlanInput, PlanKind } from './replicate-types.js';
import type { Dataset } from './types.js';

/** What one look at both ends proves of each dataset, and how far it is behind. Pure; by the listings alone, never by what a stream said. */

/** Of every dataset that should be there; what was made after the newest snapshot is not due yet. */
export function replicaStates(plans: readonly DatasetPlan[], input: PlanInput): ReplicaState[] {
  return plans.flatMap((plan) => {
    const source = input.source.get(plan.source);
    if (!source || plan.kind === 'excluded' || plan.kind === 'young') return [];
    return [stateOf(plan, source, input)];
  });
}

function stateOf(plan: DatasetPlan, source: Dataset, { target, policy }: PlanInput): ReplicaState {
  const replica = replicaOf(target, plan);
  const common = replica && newestCommon(source, replica);
  const known = { source: source.name, target: plan.target, kind: plan.kind };
  const missing = wantedAfter(source, policy, common?.base);
  const newest = missing.at(-1);
  if (!common) return { ...known, lagBytes: newest?.referencedBytes ?? 0 };
  const { name, guid, createtxg, creationS } = common.base;
  const lagBytes = source.snapshots
    .filter(({ createtxg: at }) => at > createtxg && at <= (newest?.createtxg ?? 0))
    .reduce((sum, { writtenBytes }) => sum + writtenBytes, 0);
  return {
    ...known,
    common: { name, guid, createtxg, targetCreatetxg: common.at.createtxg, creationS },
    // Not less than one moment: two snapshots of one second are two states all the same.
    lagMs: newest ? Math.max(1, (newest.creationS - creationS) * 1000) : 0,
    lagBytes,
  };
}

/** In short, for the evidence. */
export function proofOf(states: readonly ReplicaState[]): ProvedReplicas {
  // A replica that is stopped may hold what it held: nobody vouches for it before a human has looked.
  const proved = states.flatMap(({ source, kind, common }) =>
    common && !stopping.has(kind as PlanKind) ? [{ source, ...common }] : [],
  );
  const lines = proved.map(
    ({ source, name, guid, createtxg, targetCreatetxg }) =>
      `${source}@${name} ${guid} ${createtxg} ${targetCreatetxg}`,
  );
  const whole = states.length > 0 && proved.length === states.length;
  const oldestS = proved.reduce(
    (least, { creationS }) => Math.min(least, creationS),
    Number.POSITIVE_INFINITY,
  );
  return {
    datasets: proved.length,
    ...(whole && { restorePoint: new Date(oldestS * 1000).toISOString() }),
    digest: sha256(lines.sort().join('\n')),
    ...lagOf(states),
    ...(whole && { lagMs: states.reduce((most, { lagMs = 0 }) => Math.max(most, lagMs), 0) }),
  };
}

const isBehind = ({ lagMs }: ReplicaState): boolean => lagMs !== 0;

const lagOf = (states: readonly ReplicaState[]): { lagging: number; lagBytes: number } => ({
  lagging: states.filter(isBehind).length,
  lagBytes: states.reduce((sum, { lagBytes }) => sum + lagBytes, 0),
});

/** The few that are furthest behind: first those that have nothing, then by time, then by bytes. */
export function lagIn(
  of: { resource: string; store: string },
  all: ReplicaStates,
  limit: number,
): ReplicaLag {
  const ms = ({ lagMs }: ReplicaState): number => lagMs ?? Number.MAX_SAFE_INTEGER;
  const worst = all.states
    .filter(isBehind)
    .sort((one, other) => ms(other) - ms(one) || other.lagBytes - one.lagBytes)
    .slice(0, limit);
  const { at, run, states } = all;
  return { ...of, at, run, datasets: states.length, ...lagOf(states), worst };
}
