import { isAbsolute, normalize } from 'node:path';
import { storesOf } from './lookup.js';
import type { Finding } from './mistakes.js';
import type { Config } from './schema.js';

/**
 * A key that burns with the house: it lies in what only its own store keeps, and that store opens with nothing else. Pure.
 * A key that lies in no resource is taken as kept elsewhere; only a human knows.
 */

interface Key {
  store: string;
  /** Where the reference stands: "password", or a variable under "env". */
  path: string[];
  file: string;
  /** The resources whose folder holds the file. */
  inside: string[];
}

/** Warnings for keys that can be read only after restoring with them, and for the configuration when it lies only behind such a key. */
export function findCircles(config: Config, configFile?: string): Finding[] {
  const keys = keysOf(config);
  const closed = closedStores(config, keys);
  const keeping = (resources: readonly string[]): string[] => [
    ...new Set(resources.flatMap((resource) => storesKeeping(config, resource))),
  ];
  const locked = keys.filter(
    ({ store, inside }) =>
      closed.has(store) && inside.length > 0 && keeping(inside).every((name) => closed.has(name)),
  );
  return [
    ...locked.map(({ store, path, inside }) => ({
      path: ['stores', store, 'restic', ...path],
      message: keyWords(store, inside, keeping(inside)),
    })),
    ...configBehindKeys(config, configFile, closed),
  ];
}

function keysOf(config: Config): Key[] {
  return Object.entries(config.stores).flatMap(([store, { restic }]) => {
    if (!restic) return [];
    const places = [
      { path: ['password'], value: restic.password },
      ...Object.entries(restic.env).map(([name, value]) => ({ path: ['env', name], value })),
    ];
    return places.flatMap(({ path, value }) => {
      if (typeof value === 'string' || !('file' in value)) return [];
      const hosts = hostsOf(config, store);
      return [{ store, path, file: value.file, inside: resourcesHolding(config, value.file, hosts) }];
    });
  });
}

/** The hosts that read a store's key: a folder of the same name on another machine is another folder. */
const hostsOf = (config: Config, store: string): Set<string> =>
  new Set(
    Object.values(config.jobs)
      .filter((job) => storesOf(job).includes(store))
      .flatMap((job) => job.resources.flatMap((name) => hostOfResource(config, name))),
  );

const hostOfResource = (config: Config, name: string): string[] => {
  const resource = Object.hasOwn(config.resources, name) ? config.resources[name] : undefined;
  return resource ? [resource.host] : [];
};

/** Only what is backed up somewhere: a folder in no job is no place where a key could be looked for. */
function resourcesHolding(config: Config, file: string, hosts: ReadonlySet<string>): string[] {
  const holding = Object.entries(config.resources).filter(
    ([, { host, directory }]) => hosts.has(host) && isBelow(file, directory),
  );
  return holding.map(([name]) => name).filter((name) => storesKeeping(config, name).length > 0);
}

function isBelow(file: string, directory: string | undefined): boolean {
  if (directory === undefined) return false;
  const folder = normalize(directory).replace(/\/+$/, '');
  return normalize(file).startsWith(`${folder}/`);
}

const storesKeeping = (config: Config, resource: string): string[] => [
  ...new Set(
    Object.values(config.jobs)
      .filter((job) => job.resources.includes(resource))
      .flatMap(storesOf),
  ),
];

/** What cannot be opened from outside: a store opens when each of its keys lies outside, or is kept by a store that opens. */
function closedStores(config: Config, keys: readonly Key[]): Set<string> {
  const closed = new Set(Object.keys(config.stores));
  const canBeRead = ({ inside }: Key): boolean =>
    inside.length === 0 ||
    inside.some((resource) => storesKeeping(config, resource).some((store) => !closed.has(store)));
  for (let before = -1; before !== closed.size; ) {
    before = closed.size;
    for (const store of [...closed]) {
      if (keys.filter((key) => key.store === store).every(canBeRead)) closed.delete(store);
    }
  }
  return closed;
}

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

function keyWords(store: string, inside: readonly string[], keeping: readonly string[]): string {
  const where =
    keeping.length === 1 && keeping[0] === store ? 'in this store itself' : `in ${quoted(keeping)}`;
  return `lies in ${quoted(inside)}, which is kept only ${where}: after a fire the key could be read only with the key. Keep a copy of it elsewhere, outside of every resource`;
}

/** The file that was checked, when it lies where it was read in one of our own resources. */
function configBehindKeys(config: Config, file: string | undefined, closed: ReadonlySet<string>): Finding[] {
  if (file === undefined || !isAbsolute(file)) return [];
  const inside = Object.entries(config.resources)
    .filter(([, { directory }]) => isBelow(file, directory))
    .map(([name]) => name);
  const keeping = [...new Set(inside.flatMap((name) => storesKeeping(config, name)))];
  if (keeping.length === 0 || !keeping.every((store) => closed.has(store))) return [];
  const message = `this file itself lies in ${quoted(inside)}, kept only in ${quoted(keeping)}, whose key would burn with it: keep a copy elsewhere`;
  return inside.slice(0, 1).map((name) => ({ path: ['resources', name, 'directory'], message }));
}
