import { entryIn, storesOf } from './lookup.js';
import type { Finding, KeyPath } from './mistakes.js';
import { checkPlaces } from './replica-places.js';
import type {
  Config,
  JobConfig,
  ResourceConfig,
  ResticBackupJob,
  SnapraidJob,
  ZfsReplicationJob,
  ZfsSnapshotJob,
} from './schema.js';

/** Which job can work on which form of resource, and what its host must offer. Pure. */

type Form = 'directory' | 'dataset' | 'pool' | 'snapraid';

const wanted: Record<JobConfig['kind'], { forms: Form[]; words: string }> = {
  'restic-backup': {
    forms: ['directory', 'dataset'],
    words: 'restic reads files: name a "directory" or a "dataset"',
  },
  'zfs-scrub': { forms: ['pool'], words: 'scrubs read pools as a whole: name one with "pool"' },
  'zfs-snapshot': { forms: ['dataset'], words: 'snapshots are taken of datasets: name one with "dataset"' },
  'snapraid-maintenance': {
    forms: ['snapraid'],
    words: 'SnapRAID works on arrays: name one with "snapraid"',
  },
  'zfs-replication': { forms: ['dataset'], words: 'datasets are replicated: name one with "dataset"' },
};

const formOf = ({ directory, dataset, pool }: ResourceConfig): Form => {
  if (directory !== undefined) return 'directory';
  if (dataset !== undefined) return 'dataset';
  return pool !== undefined ? 'pool' : 'snapraid';
};

const formWords: Record<Form, string> = {
  directory: 'directory',
  dataset: 'dataset',
  pool: 'pool',
  snapraid: 'SnapRAID array',
};

type Told = [key: string | false, of: string];

/** Keys that are written down, with the forms that they are of, where this one is another. */
function keysOfOthers(resource: ResourceConfig, form: Form): Told[] {
  const { marker, mounted, mount, include, exclude, recursive, restoreInPlace } = resource;
  const [isFolder, isDataset] = [form === 'directory', form === 'dataset'];
  const folder: Told[] = [
    // Through a mount only a marker tells whose files they are.
    [marker !== undefined && mount === undefined && 'marker', 'a directory'],
    [mounted && 'mounted', 'a directory'],
  ];
  const dataset: Told[] = [
    [include.length > 0 && 'include', 'a dataset'],
    [exclude.length > 0 && 'exclude', 'a dataset'],
    [!recursive && 'recursive', 'a dataset'],
    [mount !== undefined && 'mount', 'a dataset'],
  ];
  if (!isFolder && !isDataset) dataset.push([restoreInPlace && 'restoreInPlace', 'a directory or dataset']);
  return [...(isFolder ? [] : folder), ...(isDataset ? [] : dataset)];
}

/** Keys that would be read by nobody: a marker that is never looked for protects nothing. */
export function checkResource(name: string, resource: ResourceConfig, mistakes: Finding[]): void {
  const form = formOf(resource);
  const told = keysOfOthers(resource, form);
  for (const [key, of] of told) {
    if (key === false) continue;
    const more =
      key === 'exclude' && form === 'directory' ? ' (what a backup leaves out stands in its job)' : '';
    mistakes.push({
      path: ['resources', name, key],
      atKey: true,
      message: `is of ${of}, and "${name}" is a ${formWords[form]}${more}`,
    });
  }
}

/** Files are read through a mount on the machine that drives the host; a machine with a worker of its own reads its own. */
export function checkMount(
  config: Config,
  name: string,
  { mount, marker, host }: ResourceConfig,
  mistakes: Finding[],
): void {
  if (mount === undefined) return;
  // A snapshot has the same name in all datasets of a run: only a file inside tells which of them is mounted there.
  if (marker === undefined) {
    const needs =
      'needs a "marker": without it another dataset that is mounted there would be taken for this one';
    mistakes.push({ path: ['resources', name, 'mount'], atKey: true, message: needs });
  }
  if (entryIn(config.hosts, host)?.ssh?.via !== undefined) return;
  const message = `is for hosts that another one drives over ssh, and "${host}" has no "via"`;
  mistakes.push({ path: ['resources', name, 'mount'], atKey: true, message });
}

/** What a job is to work on, against what it can. */
export function checkForms(config: Config, job: JobConfig, path: KeyPath, mistakes: Finding[]): void {
  job.resources.forEach((name, at) => {
    const resource = entryIn(config.resources, name);
    if (!resource || wanted[job.kind].forms.includes(formOf(resource))) return;
    const message = `"${name}" is a ${formWords[formOf(resource)]}; ${wanted[job.kind].words}`;
    mistakes.push({ path: [...path, 'resources', at], message });
  });
  checkStoreForms(config, job, path, mistakes);
  if (job.kind === 'restic-backup') checkSnapshotJob(config, job, path, mistakes);
  if (job.kind === 'restic-backup') checkMixed(config, job, path, mistakes);
  if (job.kind === 'zfs-snapshot') checkSnapshots(config, job, path, mistakes);
  if (job.kind === 'snapraid-maintenance') checkArrayHooks(config, job, path, mistakes);
  if (job.kind === 'zfs-replication') checkReplicas(config, job, path, mistakes);
}

/** Retention and checks of a job run once for a host: on it, or on the machine that drives it. */
function checkMixed(config: Config, job: ResticBackupJob, path: KeyPath, mistakes: Finding[]): void {
  const known = job.resources.flatMap((name) => {
    const resource = entryIn(config.resources, name);
    return resource ? [{ name, ...resource }] : [];
  });
  const through = known.find(({ mount }) => mount !== undefined);
  const other = known.find(({ mount, host }) => mount === undefined && host === through?.host);
  if (!through || !other) return;
  const message = `"${through.name}" is read through a mount and "${other.name}" on "${other.host}" itself: make a job for each`;
  mistakes.push({ path: [...path, 'resources'], message });
}

/** The snapshots that a backup reads are those of a job that takes them, of all its datasets. */
function checkSnapshotJob(config: Config, job: ResticBackupJob, path: KeyPath, mistakes: Finding[]): void {
  const named = job.fromSnapshotsOf;
  if (named === undefined) return;
  const place = [...path, 'fromSnapshotsOf'];
  const other = entryIn(config.jobs, named);
  if (other?.kind !== 'zfs-snapshot') {
    mistakes.push({ path: place, message: `there is no job "${named}" of the kind zfs-snapshot` });
    return;
  }
  const datasets = job.resources.filter((name) => entryIn(config.resources, name)?.dataset !== undefined);
  const missed = datasets.find((name) => !other.resources.includes(name));
  if (missed === undefined) return;
  mistakes.push({ path: place, message: `the job "${named}" takes no snapshots of "${missed}"` });
}

/** restic writes to repositories, replicas lie on pools. */
function checkStoreForms(config: Config, job: JobConfig, path: KeyPath, mistakes: Finding[]): void {
  const form = job.kind === 'zfs-replication' ? 'zfs' : 'restic';
  storesOf(job).forEach((name, at) => {
    const store = entryIn(config.stores, name);
    if (!store || store[form] !== undefined) return;
    const message = `"${name}" has no "${form}", which a job of the kind ${job.kind} needs`;
    const key = 'store' in job && job.store !== undefined ? ['store'] : ['stores', at];
    mistakes.push({ path: [...path, ...key], message });
  });
}

/** Both ends of a job must be reachable and apart, and its hosts have the hooks of a failover. */
function checkReplicas(config: Config, job: ZfsReplicationJob, path: KeyPath, mistakes: Finding[]): void {
  checkPlaces(config, job, path, mistakes);
  const hostsOf = (names: readonly string[], of: (name: string) => string | undefined): Set<string> =>
    new Set(names.flatMap((name) => of(name) ?? []));
  const sides = {
    stop: hostsOf(job.resources, (name) => entryIn(config.resources, name)?.host),
    start: hostsOf(storesOf(job), (name) => entryIn(config.stores, name)?.zfs?.host),
  };
  for (const key of ['stop', 'start'] as const)
    checkFailoverHooks(config, sides[key], job.failover[key], [...path, 'failover', key], mistakes);
  // They run once for all of its resources, and are taken back once.
  if (sides.stop.size > 1 && job.failover.stop.length > 0)
    mistakes.push({ path: [...path, 'failover', 'stop'], message: `resources ${onSeveral(sides.stop)}` });
}

const onSeveral = (hosts: ReadonlySet<string>): string =>
  `lie on several hosts (${[...hosts].join(', ')}): make a job for each`;

/** Whatever the host that they run on will be, it must have them. */
function checkFailoverHooks(
  config: Config,
  hosts: ReadonlySet<string>,
  hooks: readonly string[],
  path: KeyPath,
  mistakes: Finding[],
): void {
  for (const host of hosts)
    for (const [at, hook] of hooks.entries()) {
      if (!Object.hasOwn(entryIn(config.hosts, host)?.hooks ?? {}, hook))
        mistakes.push({ path: [...path, at], message: `hosts.${host}.hooks has no "${hook}"` });
    }
}

/** Hooks are those of the host of each array. */
function checkArrayHooks(config: Config, job: SnapraidJob, path: KeyPath, mistakes: Finding[]): void {
  const hosts = new Set(job.resources.flatMap((name) => entryIn(config.resources, name)?.host ?? []));
  for (const host of hosts) {
    const known = Object.keys(entryIn(config.hosts, host)?.hooks ?? {});
    job.pause.hooks.forEach((hook, at) => {
      if (known.includes(hook)) return;
      mistakes.push({
        path: [...path, 'pause', 'hooks', at],
        message: `hosts.${host}.hooks has no "${hook}"`,
      });
    });
  }
}

/** One moment for all is possible on one host only; its hooks are looked up there. */
function checkSnapshots(config: Config, job: ZfsSnapshotJob, path: KeyPath, mistakes: Finding[]): void {
  const hosts = new Set(job.resources.flatMap((name) => entryIn(config.resources, name)?.host ?? []));
  const [host] = hosts;
  if (hosts.size > 1) {
    mistakes.push({ path: [...path, 'resources'], message: onSeveral(hosts) });
    return;
  }
  const known = Object.keys((host !== undefined && entryIn(config.hosts, host)?.hooks) || {});
  for (const key of ['before', 'after'] as const) {
    job[key].forEach((hook, at) => {
      if (host === undefined || known.includes(hook)) return;
      const message = `hosts.${host}.hooks has no "${hook}"`;
      mistakes.push({ path: [...path, key, at], message });
    });
  }
}
