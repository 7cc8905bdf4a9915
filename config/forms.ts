import type { Finding, KeyPath } from './mistakes.js';
import type { Config, JobConfig, ResourceConfig, ZfsSnapshotJob } from './schema.js';

/** Which job can work on which form of resource, and what its host must offer. Pure. */

type Form = 'directory' | 'dataset' | 'pool';

const wanted: Record<JobConfig['kind'], { form: Form; words: string }> = {
  'restic-backup': { form: 'directory', words: 'restic reads folders: name one with "directory"' },
  'zfs-snapshot': { form: 'dataset', words: 'snapshots are taken of datasets: name one with "dataset"' },
};

const formOf = ({ directory, dataset }: ResourceConfig): Form =>
  directory !== undefined ? 'directory' : dataset !== undefined ? 'dataset' : 'pool';

const entryOf = <T>(entries: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(entries, name) ? entries[name] : undefined;

/** What a job is to work on, against what it can. */
export function checkForms(config: Config, job: JobConfig, path: KeyPath, mistakes: Finding[]): void {
  job.resources.forEach((name, at) => {
    const resource = entryOf(config.resources, name);
    if (!resource || formOf(resource) === wanted[job.kind].form) return;
    const message = `"${name}" is a ${formOf(resource)}; ${wanted[job.kind].words}`;
    mistakes.push({ path: [...path, 'resources', at], message });
  });
  if (job.kind === 'zfs-snapshot') checkSnapshots(config, job, path, mistakes);
}

/** One moment for all is possible on one host only; its hooks are looked up there. */
function checkSnapshots(config: Config, job: ZfsSnapshotJob, path: KeyPath, mistakes: Finding[]): void {
  const hosts = new Set(job.resources.flatMap((name) => entryOf(config.resources, name)?.host ?? []));
  const [host] = hosts;
  if (hosts.size > 1) {
    const message = `lie on several hosts (${[...hosts].join(', ')}): make a job for each`;
    mistakes.push({ path: [...path, 'resources'], message });
    return;
  }
  const known = Object.keys((host !== undefined && entryOf(config.hosts, host)?.hooks) || {});
  for (const key of ['before', 'after'] as const) {
    job[key].forEach((hook, at) => {
      if (host === undefined || known.includes(hook)) return;
      const message = `hosts.${host}.hooks has no "${hook}"`;
      mistakes.push({ path: [...path, key, at], message });
    });
  }
}
