import { replicaStoreOf, resourceOf } from '../../config/lookup.js';
import type { ZfsReplicationJob } from '../../config/schema.js';
import type { ReplicationStepInput } from '../../contracts/replication.js';
import type { Tools } from '../door.js';
import type { Zfs } from './listing.js';
import type { Ends } from './replicate-ends.js';
import { destinationOf, isParked } from './replicate-names.js';
import type { ReplicationPolicy } from './replicate-types.js';
import { allowedDataset } from './restore-place.js';
import { zfsOn } from './zfs-on.js';

/** The way back: the replica is the source, and a dataset that is new or has an older state of it is the target. */

/** Which pools are joined, and how: there, or back. */
export interface Way {
  source: Zfs;
  sourceRoot: string;
  target: Zfs;
  targetRoot: string;
  policy: ReplicationPolicy;
}

/** The whole replica with all its snapshots, but what was parked beside it. Nothing of ours stays at either end. */
export function wayBack(
  tools: Tools,
  input: ReplicationStepInput,
  { catchUp, encrypted }: ZfsReplicationJob,
): Way {
  const { config, host } = tools;
  const place = replicaStoreOf(config, input.store);
  const known = resourceOf(config, input.resource);
  const own = known.host === host.name ? known.dataset : undefined;
  const wanted = input.sendBack?.dataset ?? '';
  const targetRoot = wanted === own ? own : allowedDataset(config, host.name, own, wanted);
  const sourceRoot = `${place.dataset}/${input.resource}`;
  return {
    source: zfsOn(tools, place.host),
    sourceRoot,
    target: zfsOn(tools, host.name),
    targetRoot,
    policy: {
      destination: `back.${destinationOf(input)}`,
      snapshots: 'all',
      catchUp,
      encrypted: encrypted === 'plain' ? 'plain' : 'raw',
      excludes: (below) => isParked(`${sourceRoot}/${below}`),
      marks: 'none',
      onlyOwnKeys: true,
    },
  };
}

/** A replica whose first copy never arrived whole holds nothing that could be sent back. */
export const withoutUnfinished = (ends: Ends): Ends => ({
  ...ends,
  listAsides: async () => new Map(),
  async list(side) {
    const all = await ends.list(side);
    if (side === 'target') return all;
    return new Map([...all].filter(([, { snapshots }]) => snapshots.length > 0));
  },
});
