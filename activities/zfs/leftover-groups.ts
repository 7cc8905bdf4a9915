import { storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import type { LeftoverGroup } from '../../contracts/leftovers.js';
import { parseRunId } from '../../contracts/names.js';
import { isAtOrBelow, isBelow } from './dataset-names.js';
import { isRemembered, type Remembered } from './leftovers.js';
import type { Mark } from './marks.js';
import { destinationOf } from './replicate-names.js';
import { line } from './replicate-script.js';
import type { ZfsWords } from './replicate-streams.js';

/** Leftovers in words: whose they are as far as names tell, and what takes them away. Pure. */

/** What takes one of them away, by just its name. */
export const wordsToRelease = ({ kind, tag = '', dataset, at }: Mark): ZfsWords =>
  kind === 'cursor' ? ['destroy', `${dataset}#${at}`] : ['release', tag, `${dataset}@${at}`];

/** "hold holdfast_grogu.k_k-2026-… on fast/k@hourly" */
export const nameOfMark = ({ kind, tag, dataset, at }: Mark): string =>
  kind === 'cursor' ? `bookmark ${dataset}#${at}` : `hold ${tag} on ${dataset}@${at}`;

/** As a shell takes it; names of ZFS hold spaces, a tag never does. */
export const commandToRelease = (mark: Mark): string => {
  const [verb = '', ...rest] = wordsToRelease(mark);
  const quoted = rest.map((word) => (/^[\w/.:@#-]+$/.test(word) ? word : line([word])));
  return ['zfs', verb, ...quoted].join(' ');
};

/** What a job can do something about on a host: its resources there, and all that lies in its stores' places there. */
export function rootsOfJob(config: Config, job: string, host: string): string[] {
  const of = config.jobs[job];
  if (of?.kind !== 'zfs-replication' && of?.kind !== 'zfs-snapshot') return [];
  const own = of.resources.flatMap((name) => {
    const { host: owner, dataset } = config.resources[name] ?? {};
    return owner === host && dataset !== undefined ? [dataset] : [];
  });
  const places = storesOf(of).flatMap((store) => {
    const place = config.stores[store]?.zfs;
    return place?.host === host ? [place.dataset] : [];
  });
  const all = [...new Set([...own, ...places])];
  // One within another would be listed twice.
  return all.filter((root) => !all.some((other) => isBelow(root, other)));
}

/** A replication before a snapshot job: it covers both sides. */
export const jobCovering = (config: Config, host: string, dataset: string): string | undefined =>
  ['zfs-replication', 'zfs-snapshot']
    .flatMap((kind) => Object.keys(config.jobs).filter((name) => config.jobs[name]?.kind === kind))
    .find((name) => rootsOfJob(config, name, host).some((root) => isAtOrBelow(dataset, root)));

/** One for each destination, or replica, and each job that covers it; those that keep most first. */
export function groupsOf(
  marks: readonly Mark[],
  remembered: Remembered,
  jobOf: (dataset: string) => string | undefined = () => undefined,
): LeftoverGroup[] {
  const fenced = new Set(marks.flatMap(({ kind, dataset }) => (kind === 'fence' ? [dataset] : [])));
  const groups = new Map<string, Mark[]>();
  for (const mark of marks) {
    const key = [whatOf(mark, remembered, fenced), jobOf(mark.dataset) ?? ''].join('\n');
    const known = groups.get(key);
    if (known) known.push(mark);
    else groups.set(key, [mark]);
  }
  return [...groups.entries()]
    .map(([key, some]) => groupOf(key, some, remembered))
    .sort((one, other) => other.bytes - one.bytes)
    .map(({ group }) => group);
}

function groupOf(
  key: string,
  marks: readonly Mark[],
  remembered: Remembered,
): { bytes: number; group: LeftoverGroup } {
  const [what = '', job = ''] = key.split('\n');
  const datasets = [...new Set(marks.map(({ dataset }) => dataset))];
  const used = new Map(marks.map(({ dataset, at, usedBytes }) => [`${dataset}@${at}`, usedBytes]));
  const jobs = new Set(marks.flatMap(({ run }) => parseRunId(run ?? '')?.job ?? []));
  const oldestS = marks.reduce(
    (least, { creationS }) => Math.min(least, creationS),
    Number.POSITIVE_INFINITY,
  );
  const since = new Date(oldestS * 1000).toISOString().slice(0, 10);
  const bytes = [...used.values()].reduce((sum, one) => sum + one, 0);
  const words = [
    `${what}: ${countWords(marks)}`,
    ...(jobs.size > 0 ? [`by ${[...jobs].slice(0, 5).join(', ')}`] : []),
    `on ${datasets.length} ${datasets.length === 1 ? 'dataset' : 'datasets'} below ${commonRoot(datasets)}, since ${since}`,
  ].join(' ');
  const kept = `; what they hold keeps at least ${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return {
    bytes,
    group: {
      words: marks.every(({ kind }) => kind === 'cursor') ? words : `${words}${kept}`,
      isRemembered: marks.every((mark) => isRemembered(mark, remembered)),
      ...(marks.every(({ kind }) => kind === 'reading') && { isReading: true as const }),
      ...(job !== '' && { job }),
    },
  };
}

function countWords(marks: readonly Mark[]): string {
  const names: Record<Mark['kind'], [string, string]> = {
    hold: ['hold', 'holds'],
    fence: ['fence', 'fences'],
    cursor: ['bookmark', 'bookmarks'],
    reading: ['hold', 'holds'],
  };
  return Object.entries(names)
    .flatMap(([kind, [one, many]]) => {
      const count = marks.filter((mark) => mark.kind === kind).length;
      return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
    })
    .join(' and ');
}

/** Long names stand shortened in tags: then only the memory of a worker tells which they were. */
function whatOf(
  { kind, destination, dataset, isUseless }: Mark,
  remembered: Remembered,
  fenced: ReadonlySet<string>,
): string {
  if (kind === 'reading') return 'backups and restores that read there';
  if (isUseless) return `a failover or replica that is over, in ${topOf(dataset, fenced)}`;
  if (destination === undefined) return `the replica ${topOf(dataset, fenced)}`;
  const known = remembered.get(destination);
  if (known) return `copies to ${destinationOf(known)}`;
  return destination.includes('.')
    ? `copies to ${destination}`
    : `copies to a place that the names do not tell (${destination})`;
}

function commonRoot([first = '', ...others]: readonly string[]): string {
  let root = first;
  while (root.includes('/') && !others.every((other) => isAtOrBelow(other, root)))
    root = root.slice(0, root.lastIndexOf('/'));
  return root;
}

/** The highest of some datasets that has this one below it, or is it. */
function topOf(dataset: string, some: ReadonlySet<string>): string {
  const names = dataset.split('/').map((_, at, all) => all.slice(0, at + 1).join('/'));
  return names.find((name) => some.has(name)) ?? dataset;
}
