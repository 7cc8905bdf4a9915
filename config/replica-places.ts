import { meaningOf } from '../contracts/dataset-patterns.js';
import { entryIn, storesOf } from './lookup.js';
import type { Finding, KeyPath } from './mistakes.js';
import type { Config, JobConfig, ZfsReplicationJob } from './schema.js';

/** Where replicas lie, against what they are copies of and what else is read there. Pure. */

const isIn = (dataset: string, root: string): boolean => `${dataset}/`.startsWith(`${root}/`);

/** Each replica of a job must be reachable, and apart from its source. */
export function checkPlaces(
  config: Config,
  job: ZfsReplicationJob,
  path: KeyPath,
  mistakes: Finding[],
): void {
  for (const name of job.resources) {
    const resource = entryIn(config.resources, name);
    for (const store of storesOf(job)) {
      const place = entryIn(config.stores, store)?.zfs;
      const message =
        resource && place && whyNotThere(config, { name, ...resource }, { name: store, ...place });
      if (message) mistakes.push({ path: [...path, 'resources'], message });
    }
  }
}

interface Named {
  name: string;
  host: string;
  dataset?: string | undefined;
}

/** A replica below its own source would be copied into itself, one above it would be the source; what has no way in cannot be reached. */
function whyNotThere(config: Config, resource: Named, store: Named): string | undefined {
  if (store.host !== resource.host) {
    const host = entryIn(config.hosts, store.host);
    if (!host || host.ssh) return undefined;
    return `"${resource.name}" is driven from its own host, and hosts.${store.host} has no "ssh" that says how it is reached`;
  }
  if (resource.dataset === undefined) return undefined;
  if (isIn(`${store.dataset}`, resource.dataset))
    return `the store "${store.name}" lies inside of the resource "${resource.name}"`;
  const replica = `${store.dataset}/${resource.name}`;
  if (!isIn(resource.dataset, replica)) return undefined;
  return `the replica of "${resource.name}" in the store "${store.name}" would be ${replica}, where "${resource.name}" itself lies: give the store a place beside`;
}

/** One resource in one store. */
interface Replica {
  job: string;
  resource: string;
  store: string;
  host: string;
  dataset: string;
}

const replicasOf = ({ jobs, stores }: Pick<Config, 'jobs' | 'stores'>): Replica[] =>
  Object.entries(jobs).flatMap(([job, one]) =>
    one.kind === 'zfs-replication'
      ? storesOf(one).flatMap((store) => {
          const place = entryIn(stores, store)?.zfs;
          if (!place) return [];
          const { host } = place;
          return one.resources.map((resource) => ({
            job,
            resource,
            store,
            host,
            dataset: `${place.dataset}/${resource}`,
          }));
        })
      : [],
  );

/** A place inside a replica: what lies there would be taken for a part of that, kept when it goes and made writable when it takes over. */
export function checkInsideReplicas(config: Config, mistakes: Finding[]): void {
  const replicas = replicasOf(config);
  for (const [name, { zfs }] of Object.entries(config.stores)) {
    const outer = replicas.find(({ host, dataset }) => host === zfs?.host && isIn(zfs.dataset, dataset));
    if (!zfs || !outer) continue;
    const message = `lies inside the replica of "${outer.resource}" in the store "${outer.store}" and would be taken for a part of it: give it a place beside`;
    mistakes.push({ path: ['stores', name, 'zfs', 'dataset'], message });
  }
}

/** Replicas that lie within what a job reads. A copy may go on to a third place, but not come back to where it is from. */
export function checkReplicasInResources(
  config: Config,
  { mistakes, warnings }: { mistakes: Finding[]; warnings: Finding[] },
): void {
  const replicas = replicasOf(config);
  for (const [job, one] of Object.entries(config.jobs)) {
    if (one.kind === 'zfs-snapshot') warnings.push(...snapshotsOfReplicas(config, job, one, replicas));
  }
  for (const replica of replicas) {
    const circle = circleOf(config, replica, replicas);
    if (!circle) continue;
    const message = `copies the replicas of "${circle.resource}" in the store "${circle.store}" back to where they are from, round and round, until both pools are full: leave them out with "exclude" in resources.${replica.resource}, or give the stores places beside the resources`;
    mistakes.push({ path: ['jobs', replica.job, 'resources'], message });
  }
}

/** What a snapshot is taken of by itself on the target cannot be received into any more. */
function snapshotsOfReplicas(
  config: Config,
  name: string,
  job: Pick<JobConfig, 'resources'>,
  replicas: readonly Replica[],
): Finding[] {
  return job.resources.flatMap((resource, at) => {
    const found = replicas.find((replica) => isRead(config, resource, replica));
    if (!found) return [];
    const message = `"${resource}" holds the replica of "${found.resource}" in the store "${found.store}": a snapshot of it stops its replication as diverged; leave it out with "exclude"`;
    return [{ path: ['jobs', name, 'resources', at], message }];
  });
}

/** Whether a replica lies at or below what a resource means. */
function isRead(config: Config, resource: string, { host, dataset }: Pick<Replica, 'host' | 'dataset'>) {
  const source = entryIn(config.resources, resource);
  if (source?.dataset === undefined || source.host !== host || !isIn(dataset, source.dataset)) return false;
  return meaningOf(source)(dataset.slice(source.dataset.length + 1));
}

/** The replica that brings a copy back into the source of one; undefined where there is none. One that lies in its own source is told elsewhere. */
function circleOf(config: Config, from: Replica, replicas: readonly Replica[]): Replica | undefined {
  const reached = new Set<Replica>();
  const open = [from];
  for (let at = open.pop(); at; at = open.pop()) {
    for (const next of replicas) {
      if (next === at || reached.has(next) || !isRead(config, next.resource, at)) continue;
      if (next === from) return at;
      reached.add(next);
      open.push(next);
    }
  }
  return undefined;
}
