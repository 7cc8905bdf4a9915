import type { DatasetPlan, PlanInput, PlanKind } from './replicate-types.js';
import type { Listing } from './types.js';

/** What only a human can let go on. */
export const stopping: ReadonlySet<PlanKind> = new Set(['diverged', 'foreign', 'encryption', 'type']);

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
