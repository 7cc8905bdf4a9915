import { jobOf, resourceOf } from '../../config/lookup.js';
import type { Config, ZfsScrubJob, ZfsSnapshotJob } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { ScrubStepInput, SnapshotStepInput } from '../../contracts/zfs.js';
import type { Tools } from '../door.js';
import { checkHostOf, checkRunOfJob } from '../restic/job.js';
import type { Zfs } from './listing.js';
import type { Selection } from './select.js';

/** Whoever starts a workflow can only ask for what this host's own holdfast.yaml joins together. */

/** The job, when it is one of snapshots and lists just these resources. */
export function snapshotJob(tools: Tools, { job, run, resources }: SnapshotStepInput): ZfsSnapshotJob {
  const found = jobOf(tools.config, job);
  if (found.kind !== 'zfs-snapshot') throw refused(`The job "${job}" takes no snapshots`);
  const stranger = resources.find((resource) => !found.resources.includes(resource));
  if (stranger !== undefined) throw refused(`The job "${job}" has no resource "${stranger}"`);
  checkRunOfJob(run, job);
  for (const resource of resources) checkHostOf(tools.config, resource, tools.host.name);
  return found;
}

/** The job and the pool, when the job is one of scrubs and lists it. */
export function scrubJob(
  tools: Tools,
  { job, run, resource }: ScrubStepInput,
): { job: ZfsScrubJob; pool: string } {
  const found = jobOf(tools.config, job);
  if (found.kind !== 'zfs-scrub' || !found.resources.includes(resource)) {
    throw refused(`The job "${job}" scrubs no "${resource}"`);
  }
  checkRunOfJob(run, job);
  checkHostOf(tools.config, resource, tools.host.name);
  const { pool } = resourceOf(tools.config, resource);
  if (pool === undefined) throw refused(`The resource "${resource}" is no pool`);
  return { job: found, pool };
}

const refused = (what: string): HoldfastError =>
  new HoldfastError(
    'HF_NOT_IN_CONFIG',
    `${what} in this host's holdfast.yaml; give every host the same file`,
  );

/** The datasets that a resource of ours means. */
export function selectionOf(config: Config, resource: string): Selection & { resource: string } {
  const { dataset, recursive, include, exclude } = resourceOf(config, resource);
  if (dataset === undefined)
    throw new HoldfastError('HF_NOT_IN_CONFIG', `The resource "${resource}" is no dataset`);
  return { resource, dataset, recursive, include, exclude };
}

/** What is taken of it: where it is replicated also what leads to a dataset that is meant, because that travels with it. */
export const takenOf = (config: Config, resource: string): Selection & { resource: string } => ({
  ...selectionOf(config, resource),
  onTheWay: Object.values(config.jobs).some(
    ({ kind, resources }) => kind === 'zfs-replication' && resources.includes(resource),
  ),
});

/** ZFS on the machine that holds a resource. */
export function openZfs({ host, config, signal }: Tools, resource: string): Zfs {
  const owner = resourceOf(config, resource).host;
  const { zfs = 'zfs', zpool = 'zpool' } = config.hosts[owner]?.tools ?? {};
  return { host, signal, zfs, zpool };
}
