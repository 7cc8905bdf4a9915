import { entryIn, storesOf } from './lookup.js';
import type { Finding } from './mistakes.js';
import { folder } from './repeats.js';
import { folderAddress } from './same-repository.js';
import type { Config, ResticBackupJob } from './schema.js';

/** One thing under two names, or inside of itself. Runs keep out of each other's way by names. */

/** An array or a pool of two names: the sync of one name would not wait for the repair of the other. */
export function checkSameThing({ resources }: Config, mistakes: Finding[]): void {
  const seen = new Map<string, string>();
  for (const [name, { host, pool, snapraid }] of Object.entries(resources)) {
    const key = pool === undefined ? 'snapraid' : 'pool';
    const place = pool ?? snapraid?.config;
    if (place === undefined) continue;
    const thing = `${host}\n${key}\n${place}`;
    const other = seen.get(thing);
    seen.set(thing, other ?? name);
    if (other === undefined) continue;
    const what = key === 'pool' ? 'pool' : 'array';
    const message = `is the same ${what} as that of the resource "${other}": name one resource in all jobs, so that they wait for each other`;
    mistakes.push({ path: ['resources', name, key], message });
  }
}

/** Each backup would copy all earlier ones, until the disk is full. */
export function checkHoldsItself(config: Config, mistakes: Finding[]): void {
  const told = new Set<string>();
  for (const job of Object.values(config.jobs)) {
    if (job.kind !== 'restic-backup') continue;
    for (const store of storesOf(job)) {
      const around = aroundOf(config, job, store);
      if (around === undefined || told.has(store)) continue;
      told.add(store);
      const message = `lies inside the resource "${around}" and would be backed up into itself: give it a place beside, or exclude it there`;
      mistakes.push({ path: ['stores', store, 'restic', 'repository'], message });
    }
  }
}

/** The resource of the job that holds the repository, and copies it. */
function aroundOf(
  config: Config,
  { resources, exclude }: ResticBackupJob,
  store: string,
): string | undefined {
  const repository = entryIn(config.stores, store)?.restic?.repository;
  const address = repository === undefined ? undefined : folderAddress(repository);
  if (address === undefined || isLeftOut(address, exclude)) return undefined;
  return resources.find((name) => isInside(config, name, address));
}

function isInside({ resources }: Config, name: string, repository: string): boolean {
  const directory = entryIn(resources, name)?.directory;
  return directory !== undefined && folder(repository).startsWith(folder(directory));
}

/** What a pattern really fits restic alone knows: one whose last word begins like a folder on the way is taken for it. */
const isLeftOut = (address: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => {
    const last =
      pattern
        .replace(/\/+(\*+)?$/, '')
        .split('/')
        .at(-1) ?? '';
    const plain = /^[^*?[\\]*/.exec(last)?.[0] ?? '';
    return address
      .split('/')
      .some(
        (word) => word !== '' && (plain === last ? word === plain : plain !== '' && word.startsWith(plain)),
      );
  });

/** Each takes its snapshots at the planned time: where two are due at once, both want one name, and one of them fails. */
export function checkSameSnapshotName({ jobs }: Config, mistakes: Finding[]): void {
  const seen = new Map<string, string>();
  for (const [job, one] of Object.entries(jobs)) {
    if (one.kind !== 'zfs-snapshot' || one.name.includes('{job}')) continue;
    for (const resource of new Set(one.resources)) {
      const thing = `${resource}\n${one.name}`;
      const other = seen.get(thing);
      seen.set(thing, other ?? job);
      if (other === undefined) continue;
      const message = `is what the job "${other}" calls its snapshots of "${resource}" as well: put {job} into it, or another word`;
      mistakes.push({ path: ['jobs', job, 'name'], message });
      break;
    }
  }
}
