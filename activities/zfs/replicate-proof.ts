import { createHash } from 'node:crypto';
import type { ProvedReplicas } from '../../contracts/replication.js';
import type { DatasetPlan, PlanInput, PlanKind } from './replicate-types.js';
import type { Listing } from './types.js';

/** What only a human can let go on. */
export const stopping: ReadonlySet<PlanKind> = new Set(['diverged', 'foreign', 'encryption', 'type']);

/** What a look at both ends proves: for each dataset the newest snapshot that both sides show, by guid. */
export function proofOf(plans: readonly DatasetPlan[]): ProvedReplicas {
  const wanted = plans.filter(({ source, kind }) => source !== '' && kind !== 'excluded' && kind !== 'young');
  const lines = wanted.flatMap(({ source, common }) =>
    common ? [`${source}@${common.name} ${common.guid}`] : [],
  );
  const times = wanted.flatMap(({ common }) => (common ? [common.creationS] : []));
  const whole = wanted.length > 0 && times.length === wanted.length;
  const oldestS = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  return {
    datasets: lines.length,
    ...(whole && { restorePoint: new Date(oldestS * 1000).toISOString() }),
    digest: createHash('sha256').update(lines.sort().join('\n')).digest('hex'),
  };
}

/** Properties that keep a replica from being changed or mounted over something, where they are no longer as we set them. */
export function driftOf(plans: readonly DatasetPlan[], { target }: Pick<PlanInput, 'target'>): string[] {
  return plans.flatMap(({ kind, target: name, common }) =>
    kind === 'nothing' && common ? oneDrift(name, target) : [],
  );
}

function oneDrift(name: string, target: Listing): string[] {
  const dataset = target.get(name);
  if (!dataset) return [];
  const odd = [
    ...(dataset.readonly === 'on' ? [] : ['readonly is not on']),
    ...(dataset.type === 'volume' || dataset.canmount !== 'on' ? [] : ['canmount is on']),
    ...(dataset.mounted ? [`it is mounted at ${dataset.mountpoint}`] : []),
  ];
  return odd.length === 0 ? [] : [`${name}: ${odd.join(', ')}`];
}
