import { resourceOf, storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import type { NamedFacts, ZfsFacts } from '../../contracts/doctor.js';
import type { Host } from '../../system/host.js';
import { zfsCommand } from '../zfs/list-command.js';
import { makerOf } from '../zfs/replicate-actors.js';

/** Who else works on the datasets of our replications. Asked of each root alone: whoever works on a tree leaves the same names on its root. */

type Other = NonNullable<ZfsFacts['others']>[number];

interface Root {
  dataset: string;
  side: Other['side'];
  /** Snapshots of others came with our own streams, so their names say nothing. */
  travelled: boolean;
  /** Whose names are compared with those of the other end; absent where only ours travel. */
  compared?: Pick<NamedFacts, 'job' | 'resource'>;
}

const heldAtMost = 20;
/** What a task of every hour makes in a day; less where there are many roots, because an answer has little room. */
const namedAtMost = 24;
const allNamedAtMost = 96;

/** The places on this host to which jobs replicate. */
export const replicaPlaces = (config: Config, host: string): string[] => [
  ...new Set(rootsOn(config, host).flatMap(({ dataset, side }) => (side === 'target' ? [dataset] : []))),
];

function rootsOn(config: Config, host: string): Root[] {
  return Object.entries(config.jobs).flatMap(([name, job]) => {
    if (job.kind !== 'zfs-replication') return [];
    return job.resources.flatMap((resource): Root[] => {
      const { dataset, host: owner } = resourceOf(config, resource);
      const compared = job.snapshots === 'all' ? { compared: { job: name, resource } } : {};
      const targets = storesOf(job).flatMap((store): Root[] => {
        const place = config.stores[store]?.zfs;
        if (place?.host !== host) return [];
        const travelled = job.snapshots === 'all';
        return [{ dataset: `${place.dataset}/${resource}`, side: 'target', travelled, ...compared }];
      });
      if (owner !== host || dataset === undefined) return targets;
      return [{ dataset, side: 'source', travelled: false, ...compared }, ...targets];
    });
  });
}

/** Nothing is changed. A root that is not there yet has nobody on it. */
export async function lookForOthers(
  host: Host,
  config: Config,
  signal: AbortSignal,
): Promise<Pick<ZfsFacts, 'others' | 'named'>> {
  const zfs = config.hosts[host.name]?.tools.zfs ?? 'zfs';
  const ask = async (...args: string[]): Promise<string[]> => {
    const { exitCode, stdout } = await host.run(zfsCommand(zfs, args), { signal });
    return exitCode === 0 ? stdout.split('\n').filter((line) => line !== '') : [];
  };
  const others: Other[] = [];
  const named: NamedFacts[] = [];
  const roots = rootsOn(config, host.name);
  const each = Math.min(namedAtMost, Math.ceil(allNamedAtMost / roots.length));
  for (const root of roots) {
    const { dataset } = root;
    const listed = await ask(
      'list',
      '-H',
      '-d',
      '1',
      '-t',
      'snapshot,bookmark',
      '-o',
      'name,userrefs,guid',
      dataset,
    );
    const properties = await ask(
      'get',
      '-H',
      '-o',
      'property',
      '-s',
      'local,received,inherited',
      'all',
      dataset,
    );
    const rows = listed.map((line) => line.split('\t'));
    const held = rows.flatMap(([name = '', holds]) => (Number(holds) > 0 ? [name] : [])).slice(-heldAtMost);
    const tags = held.length === 0 ? [] : await ask('holds', '-H', ...held);
    others.push(...othersOn(root, { names: rows.map(([name = '']) => name), properties, tags }));
    named.push(...namedOn(root, rows, each));
  }
  return { others: others.slice(0, 10), ...(named.length > 0 && { named: named.slice(0, 10) }) };
}

/** Rows of name, holds and guid, oldest first, as zfs lists the snapshots of a dataset. Pure. */
export function namedOn(
  { dataset, side, compared }: Root,
  rows: readonly string[][],
  atMost = namedAtMost,
): NamedFacts[] {
  const snapshots = rows.flatMap(([full = '', , guid = '']): NamedFacts['snapshots'] => {
    const name = full.slice(dataset.length + 1);
    const who = makerOf(name);
    if (full[dataset.length] !== '@' || who === 'Holdfast') return [];
    return [who === undefined ? [name, guid] : [name, guid, who]];
  });
  return compared && snapshots.length > 0
    ? [{ ...compared, side, dataset, snapshots: snapshots.slice(-atMost) }]
    : [];
}

/** One for each tool and root, by the last thing of it that was seen. Pure. */
export function othersOn(
  { dataset, side, travelled }: Root,
  seen: { names: readonly string[]; properties: readonly string[]; tags: readonly string[] },
): Other[] {
  const found = new Map<string, string>();
  const add = (who: string | undefined, by: string): void => {
    if (who !== undefined && who !== 'Holdfast') found.set(who, by);
  };
  for (const property of seen.properties) add(makerOf(property, 'property'), property);
  for (const name of seen.names) {
    const own = name.slice(dataset.length + 1);
    if (name[dataset.length] === '#') add(makerOf(own, 'bookmark'), `#${own}`);
    else if (!travelled) add(makerOf(own), `@${own}`);
  }
  for (const row of seen.tags) {
    const tag = row.split('\t')[1] ?? '';
    add(makerOf(tag, 'hold'), `hold ${tag}`);
  }
  return [...found].map(([who, by]) => ({ dataset, side, who, by: by.slice(0, 80) }));
}
