import { storesOf } from './lookup.js';
import type { Finding } from './mistakes.js';
import type { Config } from './schema.js';

/** One repository under two names: runs keep out of each other's way by the store's name, so there must be only one. */

/** Every way in which an address is commonly written, as one; undefined when it is a folder, which is another one on each host. */
function remoteAddress(repository: string): string | undefined {
  if (folderAddress(repository) !== undefined) return undefined;
  const [, backend = '', rest = ''] = /^([a-z0-9]+):(.*)$/.exec(repository) ?? [];
  // sftp://user@host//folder and sftp:user@host:/folder are one.
  const [, server = '', folder = ''] = (backend === 'sftp' && /^\/\/([^/]+)\/(.*)$/.exec(rest)) || [];
  if (server !== '') return `sftp:${server}:${folder.replace(/\/+/g, '/')}`.replace(/\/+$/, '');
  return `${backend}:${rest.replace(/^https:\/\//, '').replace(/(?<!:)\/+/g, '/')}`.replace(/\/+$/, '');
}

/** A folder on the host that uses it, written in one way; undefined for anything else. */
export function folderAddress(repository: string): string | undefined {
  const path = repository.replace(/^local:/, '');
  return path.startsWith('/') ? path.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '') : undefined;
}

/** The hosts whose resources are copied to a store. */
function hostsOf(config: Config, store: string): Set<string> {
  const jobs = Object.values(config.jobs).filter((job) => storesOf(job).includes(store));
  return new Set(
    jobs.flatMap((job) =>
      job.resources.flatMap((name) =>
        Object.hasOwn(config.resources, name) ? (config.resources[name]?.host ?? []) : [],
      ),
    ),
  );
}

/** What makes two stores the same; a folder is one for each host that uses it. */
export function identitiesOf(config: Config, store: string, repository: string): string[] {
  const remote = remoteAddress(repository);
  if (remote !== undefined) return [remote];
  return [...hostsOf(config, store)].map((host) => `${host}:${folderAddress(repository)}`);
}

/** Two names for one repository: a backup under one would not wait for retention under the other. */
export function checkSameRepository(config: Config, mistakes: Finding[]): void {
  const seen = new Map<string, string>();
  checkSamePlace(config, mistakes);
  for (const [name, { restic }] of Object.entries(config.stores)) {
    if (!restic) continue;
    const identities = identitiesOf(config, name, restic.repository);
    const other = identities.map((identity) => seen.get(identity)).find((known) => known !== undefined);
    if (other !== undefined) {
      const message = `is the same repository as that of the store "${other}": name one store in all jobs, so that they wait for each other; two names are not two copies`;
      mistakes.push({ path: ['stores', name, 'restic', 'repository'], message });
    }
    for (const identity of identities) if (!seen.has(identity)) seen.set(identity, name);
  }
}

/** Two names for one place of replicas: two streams would run into one dataset, and one copy would count as two. */
function checkSamePlace(config: Config, mistakes: Finding[]): void {
  const seen = new Map<string, string>();
  for (const [name, { zfs }] of Object.entries(config.stores)) {
    if (!zfs) continue;
    const place = `${zfs.host}:${zfs.dataset}`;
    const other = seen.get(place);
    seen.set(place, other ?? name);
    if (other === undefined) continue;
    const message = `is the same place as that of the store "${other}": name one store in all jobs; two names are not two copies`;
    mistakes.push({ path: ['stores', name, 'zfs', 'dataset'], message });
  }
}
