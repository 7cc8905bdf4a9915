import type { LimitedPool } from '../contracts/replication.js';
import { storesOf } from './lookup.js';
import { dottedKey, type Finding, type KeyPath, showName } from './mistakes.js';
import type { Config, JobConfig } from './schema.js';

/** How many streams the pools on either end of a replication take at the same time. Pure. */

interface End {
  host: string;
  pool: string;
}

/** Above it a job's `parallel` needs pools that say how many they take: see workers/host-worker.ts. */
const withoutLimits = 2;

const poolOf = (host: string, dataset: string): End => ({ host, pool: dataset.split('/')[0] ?? '' });

/** Undefined where the entry has a mistake, or is no dataset. */
function endOfResource({ resources }: Config, name: string): End | undefined {
  const { host, dataset } = (Object.hasOwn(resources, name) ? resources[name] : undefined) ?? {};
  return host === undefined || dataset === undefined ? undefined : poolOf(host, dataset);
}

function endOfStore({ stores }: Config, name: string): End | undefined {
  const { zfs } = (Object.hasOwn(stores, name) ? stores[name] : undefined) ?? {};
  return zfs && poolOf(zfs.host, zfs.dataset);
}

function streamsOf({ hosts }: Config, { host, pool }: End): number | undefined {
  const { pools = {} } = (Object.hasOwn(hosts, host) ? hosts[host] : undefined) ?? {};
  return Object.hasOwn(pools, pool) ? pools[pool]?.streams : undefined;
}

/** The pools with a limit of their own that a job's streams read from or write to. */
export function limitedPoolsOf(config: Config, job: JobConfig): LimitedPool[] {
  const all = new Map<string, LimitedPool>();
  const add = (end: End | undefined, what: 'resources' | 'stores', name: string): void => {
    const streams = end && streamsOf(config, end);
    if (end === undefined || streams === undefined) return;
    const key = `${end.host} ${end.pool}`;
    const known: LimitedPool = all.get(key) ?? { ...end, streams, resources: [], stores: [] };
    known[what].push(name);
    all.set(key, known);
  };
  for (const name of job.resources) add(endOfResource(config, name), 'resources', name);
  for (const name of storesOf(job)) add(endOfStore(config, name), 'stores', name);
  return [...all.values()];
}

/** More streams than can be at the same time would be promised and never come. */
export function checkStreams(config: Config, job: JobConfig, path: KeyPath, mistakes: Finding[]): void {
  if (job.kind !== 'zfs-replication' || job.parallel <= withoutLimits) return;
  const messages = job.resources.flatMap((resource) =>
    storesOf(job).flatMap((store) => {
      const [source, target] = [endOfResource(config, resource), endOfStore(config, store)];
      return (source && target && complaint(config, job.parallel, source, target)) ?? [];
    }),
  );
  for (const message of new Set(messages)) mistakes.push({ path: [...path, 'parallel'], message });
}

function complaint(config: Config, parallel: number, source: End, target: End): string | undefined {
  const ends = [target, source];
  const limited = ends.filter((end) => streamsOf(config, end) !== undefined);
  const tight = limited.find((end) => (streamsOf(config, end) ?? 0) < parallel);
  if (limited.length === 0)
    return `has no effect above ${withoutLimits}: write how many streams the pool takes, ${ends.map((end) => keyOf(end)).join(' or ')}: ${parallel}`;
  if (!tight) return undefined;
  const streams = streamsOf(config, tight);
  return `${parallel} at the same time never come, ${keyOf(tight)} is ${streams}: write ${parallel} there, or ${streams} here`;
}

/** A limit of a pool that no stream ever uses is a slip in its name, or has outlived its job. */
export function checkUnusedStreams(config: Config, warnings: Finding[]): void {
  const used = Object.values(config.jobs).flatMap((job) =>
    job.kind === 'zfs-replication' ? endsOf(config, job) : [],
  );
  for (const [host, { pools = {} }] of Object.entries(config.hosts)) {
    const here = new Set(used.filter((end) => end.host === host).map(({ pool }) => pool));
    for (const [pool, { streams }] of Object.entries(pools)) {
      if (streams === undefined || here.has(pool)) continue;
      const others = [...here].map((name) => showName(name)).join(', ');
      const message = `has no effect: no zfs-replication job reads from this pool or writes to it${others && `, those of this host use ${others}`}`;
      warnings.push({ path: ['hosts', host, 'pools', pool, 'streams'], message });
    }
  }
}

const endsOf = (config: Config, job: JobConfig): End[] =>
  [
    ...job.resources.map((name) => endOfResource(config, name)),
    ...storesOf(job).map((name) => endOfStore(config, name)),
  ].filter((end) => end !== undefined);

const keyOf = ({ host, pool }: End): string => dottedKey(['hosts', host, 'pools', pool, 'streams']);
