import type { Config, JobConfig, ZfsReplicationJob } from '../../config/schema.js';

/** What a user without root must be allowed, and what `zfs allow` says that it is. Pure. */

export interface Needed {
  dataset: string;
  permissions: string[];
  /** What only some turns of things ask for: giving up what has arrived of a stream destroys (`zfs receive -A`), nothing else on the target does. */
  wanted?: string[];
}

/** By dataset, for the jobs that work on this host. From 2.4 on there are rights that cannot destroy a replica or send plain text. */
export function neededPermissions(config: Config, host: string, version: readonly number[]): Needed[] {
  const needed = new Map<string, Set<string>>();
  const targets = new Set<string>();
  const need = (dataset: string | undefined, permissions: readonly string[]): void => {
    if (dataset === undefined) return;
    needed.set(dataset, new Set([...(needed.get(dataset) ?? []), ...permissions]));
  };
  for (const job of Object.values(config.jobs)) {
    for (const name of job.resources) {
      const resource = config.resources[name];
      if (resource?.host === host) need(resource.dataset, atSource(job, version));
    }
    if (job.kind !== 'zfs-replication') continue;
    for (const name of job.stores ?? [job.store ?? '']) {
      const place = config.stores[name]?.zfs;
      if (place?.host !== host) continue;
      need(place.dataset, atTarget(job, version));
      targets.add(place.dataset);
    }
  }
  return [...needed].map(([dataset, permissions]) => ({
    dataset,
    permissions: [...permissions].sort(),
    ...(targets.has(dataset) && !permissions.has('destroy') && { wanted: ['destroy'] }),
  }));
}

const isSince24 = ([major = 0, minor = 0]: readonly number[]): boolean =>
  major > 2 || (major === 2 && minor >= 4);

function atSource(job: JobConfig, version: readonly number[]): string[] {
  const taking = ['snapshot', 'userprop'];
  // Destroying asks for "mount" as well, although nothing is mounted.
  const removing = ['destroy', 'mount'];
  if (job.kind === 'zfs-snapshot') return job.keep ? [...taking, ...removing] : taking;
  if (job.kind === 'restic-backup') return [...taking, ...removing, 'hold', 'release'];
  if (job.kind !== 'zfs-replication') return [];
  const send = isSince24(version) && job.encrypted === 'required' ? 'send:raw' : 'send';
  return [send, 'bookmark', 'hold', 'release', ...removing];
}

const atTarget = ({ keep }: ZfsReplicationJob, version: readonly number[]): string[] => [
  ...(keep ? ['destroy'] : []),
  isSince24(version) ? 'receive:append' : 'receive',
  ...['create', 'mount', 'hold', 'release', 'userprop', 'canmount', 'readonly', 'mountpoint', 'rename'],
];

interface Grant {
  on: string;
  /** "Local", "Descendent" or "Local+Descendent". */
  scope: string;
  /** "user NAME", "group NAME" or "everyone". */
  who: string;
  words: string;
}

function grantsIn(text: string): Grant[] {
  let on = '';
  let scope = '';
  return text.split('\n').flatMap((line) => {
    on = /^---- Permissions on (.+?) -+$/.exec(line)?.[1] ?? on;
    scope = /^(\S.*) (?:permissions|permission sets):$/i.exec(line)?.[1] ?? scope;
    const [, who, words] = /^\t(user \S+|group \S+|everyone) (.+)$/.exec(line) ?? [];
    return who === undefined || words === undefined ? [] : [{ on, scope, who, words }];
  });
}

/** What `zfs allow DATASET` grants a user there; undefined where it speaks of sets, which are not looked into. A group may be the user's. */
export function parseAllowed(text: string, dataset: string, user: string): Set<string> | undefined {
  const own = grantsIn(text).filter(
    ({ on, scope, who }) =>
      scopeCounts(scope, on === dataset) && (!who.startsWith('user ') || who === `user ${user}`),
  );
  if (own.some(({ words }) => words.includes('@'))) return undefined;
  return new Set(own.flatMap(({ words }) => words.split(',').map((word) => word.trim())));
}

const scopeCounts = (scope: string, isOwn: boolean): boolean =>
  scope === 'Local+Descendent' || scope === (isOwn ? 'Local' : 'Descendent');

/** "zfs-2.3.9-1" -> [2, 3, 9] */
export const parseZfsVersion = (text: string): number[] =>
  (/^zfs-(\d+)\.(\d+)\.(\d+)/m.exec(text) ?? []).slice(1).map(Number);
