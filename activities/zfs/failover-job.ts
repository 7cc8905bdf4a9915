import { jobOf, replicaStoreOf, resourceOf, storesOf } from '../../config/lookup.js';
import type { Config, ZfsReplicationJob } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverStepInput } from '../../contracts/failover.js';
import type { Tools } from '../door.js';
import { checkRunOfJob } from '../restic/job.js';
import { takenOf } from './job.js';
import type { Zfs } from './listing.js';
import { checkHostOfStore } from './replicate-job.js';
import type { Sides } from './role.js';
import type { Selection } from './select.js';
import { zfsOn } from './zfs-on.js';

/** From names to both sides of a failover: what may change its role is what this host's own holdfast.yaml joins together. */

export interface Failover {
  job: ZfsReplicationJob;
  sides: Sides;
  source: Zfs;
  target: Zfs;
  sourceRoot: string;
  targetRoot: string;
  selection: Selection & { resource: string };
}

/** The step runs where the replica is, because the other side may be gone. */
export function openFailover(tools: Tools, { job, run, resource, store }: FailoverStepInput): Failover {
  const { config, host } = tools;
  const found = jobOf(config, job);
  if (found.kind !== 'zfs-replication' || !replicates(config, { job, resource, store }))
    throw new HoldfastError(
      'HF_NOT_IN_CONFIG',
      `The job "${job}" does not replicate "${resource}" to "${store}" in this host's holdfast.yaml; give every host the same file`,
    );
  checkRunOfJob(run, job);
  checkHostOfStore(config, store, host.name);
  const place = replicaStoreOf(config, store);
  const selection = takenOf(config, resource);
  const sourceHost = resourceOf(config, resource).host;
  return {
    job: found,
    sides: { job, sourceHost, targetHost: place.host },
    source: zfsOn(tools, sourceHost),
    target: zfsOn(tools, place.host),
    sourceRoot: selection.dataset,
    targetRoot: `${place.dataset}/${resource}`,
    selection,
  };
}

/** Whether the file still has this very replica. */
export function replicates(
  { jobs }: Config,
  { job, resource, store }: Pick<FailoverStepInput, 'job' | 'resource' | 'store'>,
): boolean {
  const found = jobs[job];
  return (
    found?.kind === 'zfs-replication' && found.resources.includes(resource) && storesOf(found).includes(store)
  );
}
