import { replicaHostOf, resourceOf, storesOf } from './lookup.js';
import type { Config, JobConfig } from './schema.js';

/** Hosts that are known to be away for a while. Pure: whether the time is over is for who asks. */

export interface Away {
  host: string;
  /** Milliseconds since 1970. */
  untilMs: number;
  because: string;
}

/** A host is out of reach with the one that drives it, and with the one that it is reached through. */
export function awayHosts({ hosts }: Pick<Config, 'hosts'>, host: string): Away[] {
  const seen = new Set<string>();
  const look = (name: string | undefined): Away[] => {
    if (name === undefined || seen.has(name)) return [];
    seen.add(name);
    const { away, ssh } = hosts[name] ?? {};
    const own = away ? [{ host: name, untilMs: away.until, because: away.because }] : [];
    return [...own, ...look(ssh?.via), ...look(ssh?.jump)];
  };
  return look(host);
}

/** What a job cannot do while a host is away. */
export interface AwayFromJob extends Away {
  resources: string[];
  stores: string[];
}

/** The first to come back first: who is still away at any time are the last ones of the list. */
export function awayFromJob(config: Config, job: JobConfig): AwayFromJob[] {
  const all = new Map<string, AwayFromJob>();
  const add = (host: string | undefined, what: 'resources' | 'stores', name: string): void => {
    for (const away of host === undefined ? [] : awayHosts(config, host)) {
      const known = all.get(away.host) ?? { ...away, resources: [], stores: [] };
      known[what].push(name);
      all.set(away.host, known);
    }
  };
  for (const name of job.resources) add(resourceOf(config, name).host, 'resources', name);
  for (const name of storesOf(job)) add(replicaHostOf(config, name), 'stores', name);
  return [...all.values()].sort((one, other) => one.untilMs - other.untilMs);
}

/** "grogu is away until 2026-12-24: waits for its switch" */
export const awayWords = ({ host, untilMs, because }: Away): string => {
  const [day, time = ''] = new Date(untilMs).toISOString().split('T');
  const at = time.startsWith('00:00:00') ? day : `${day} ${time.slice(0, 5)} UTC`;
  return `${host} is away until ${at}: ${because}`;
};
