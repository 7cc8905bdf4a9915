import { storesOf } from './lookup.js';
import type { Finding, KeyPath } from './mistakes.js';
import type { Config, JobConfig } from './schema.js';

/** The same thing twice in one job, by name or by folder. */
interface Checked {
  mistakes: Finding[];
  warnings: Finding[];
}

/** A resource or a store that a job names twice. */
export function checkRepeats(job: JobConfig, path: KeyPath, checked: Checked): void {
  for (const key of ['resources', 'stores'] as const) {
    const names = (key === 'resources' ? job.resources : 'stores' in job ? job.stores : undefined) ?? [];
    names.forEach((name, at) => {
      if (names.indexOf(name) < at) {
        checked.mistakes.push({ path: [...path, key, at], message: `"${name}" is listed twice` });
      }
    });
  }
}

/** Written in one way, with its slash: what begins with it lies in it, or is it. */
export const folder = (directory: string): string => `${directory.replace(/\/+/g, '/').replace(/\/$/, '')}/`;

/** Two resources of one job that share files: each would be read, and counted, twice. */
export function checkOverlaps(config: Config, job: JobConfig, path: KeyPath, checked: Checked): void {
  const places = [...new Set(job.resources)].flatMap((name) => {
    const resource = Object.hasOwn(config.resources, name) ? config.resources[name] : undefined;
    if (resource?.directory === undefined) return [];
    return [{ name, host: resource.host, folder: folder(resource.directory) }];
  });
  for (const inner of places) {
    const outer = places.find(
      (other) => other !== inner && other.host === inner.host && inner.folder.startsWith(other.folder),
    );
    const same = outer?.folder === inner.folder;
    if (!outer || (same && places.indexOf(outer) > places.indexOf(inner))) continue;
    const message = same
      ? `"${inner.name}" and "${outer.name}" are the same folder: it is backed up twice`
      : `"${inner.name}" lies inside "${outer.name}": its files are backed up twice`;
    checked.warnings.push({ path: [...path, 'resources', job.resources.indexOf(inner.name)], message });
  }
}

/** Two jobs with one replica: each takes what only the other one sends for history of its own, and prunes it. */
export function checkSharedReplicas({ jobs }: Config, checked: Checked): void {
  const seen = new Map<string, string>();
  for (const [job, one] of Object.entries(jobs)) {
    if (one.kind !== 'zfs-replication') continue;
    for (const [at, resource] of one.resources.entries()) {
      const taken = storesOf(one).find((store) => (seen.get(`${resource} ${store}`) ?? job) !== job);
      const path = ['jobs', job, 'resources', at];
      if (taken !== undefined)
        checked.mistakes.push({
          path,
          message: `"${resource}" is replicated to "${taken}" by the job "${seen.get(`${resource} ${taken}`)}" already: let one job do it, two would prune each other's history there`,
        });
      for (const store of storesOf(one)) {
        const pair = `${resource} ${store}`;
        if (!seen.has(pair)) seen.set(pair, job);
      }
    }
  }
}
