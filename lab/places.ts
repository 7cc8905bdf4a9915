import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder } from '../system/environment.js';
import { findServerBinary } from '../workers/server-binary.js';

/** Where the parts that the lab fetched lie. Nothing here fetches anything: that is setup.ts. */
export const cached = (...parts: string[]): string => join(cacheFolder(), ...parts);

export const versions = {
  temporal: 'v1.5.1',
  versitygw: 'v1.8.0',
  /** The server of docker-compose.yml, without the command line and without SQLite. */
  cluster: 'v1.32.1',
  /** The Web UI of docker-compose.yml. */
  webUi: 'v2.54.1',
  /** Beside the one of apt (0.14 on Debian 12). 0.18 is Debian 13's; those between are built. 0.15 cannot be had: the module proxy refuses it. */
  restic: { '0.16': '0.16.5', '0.17': '0.17.3', '0.18': '0.18.0' },
  /** Those of Debian 13 and of its next release, beside the one of apt: exit codes, tags and options differ. */
  snapraid: { debian13: '12.4', next: '14.9' },
  /** For the bench alone. */
  bzfs: '1.25',
  node: { oldest: '20.19', newest: '26' },
} as const;

/** The path if it is a program that we may run. */
export function program(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}

/** What a shell would find, without starting one. */
export function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  // Debian keeps administrators' programs out of a plain user's PATH.
  for (const folder of [...folders, '/usr/sbin', '/sbin']) {
    const found = program(join(folder, name));
    if (found) return found;
  }
  return undefined;
}

/** The product's own search, without its download: a test never fetches a server by itself. */
export const temporalPath = (): string | undefined => findServerBinary();

export const versitygwPath = (): string | undefined =>
  onPath('versitygw') ?? program(cached('bin', 'versitygw'));

/** The server for a cluster; temporal-sql-tool, which makes its databases, lies beside it. */
export const clusterPath = (): string | undefined =>
  program(cached('temporal-server', versions.cluster, 'temporal-server'));

/** The Web UI by itself; the configuration of its image lies beside it. */
export const webUiPath = (): string | undefined =>
  program(cached('temporal-ui', versions.webUi, 'temporal-ui'));

/** The folder of PostgreSQL's programs: Debian keeps them out of everybody's PATH. */
export function postgresPath(): string | undefined {
  const root = '/usr/lib/postgresql';
  const packaged = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...packaged.map((version) => join(root, version, 'bin')), '/usr/local/bin', '/usr/bin'];
  return folders.find((folder) => program(join(folder, 'initdb')) && program(join(folder, 'postgres')));
}

/** The restic of the machine ("system"), or one of another version beside it. */
export type ResticName = 'system' | keyof typeof versions.restic;

export const resticPath = (name: ResticName = 'system'): string | undefined =>
  name === 'system' ? onPath('restic') : program(cached('restic', versions.restic[name], 'restic'));

/** A snapraid of our cache, by its version. */
export const snapraidPath = (version: string): string | undefined =>
  program(cached('snapraid', version, 'snapraid'));

/** The snapraid of the machine and, but in `npm test`, every other one that is here. */
export function snapraidVersions(): { version: string; path: string }[] {
  const { debian13, next } = versions.snapraid;
  const wanted = process.env.HOLDFAST_ONE_RESTIC ? [] : [debian13, next];
  const newer = wanted.map((version) => ({ version, path: snapraidPath(version) }));
  const all = newer.flatMap(({ version, path }) => (path ? [{ version, path }] : []));
  // Always there, so that what needs one says that it is missing.
  return [{ version: 'of apt', path: 'snapraid' }, ...all];
}

/** For the bench: other tools that replicate ZFS. */
export const bzfsPath = (): string | undefined => program(cached('bzfs', versions.bzfs, 'bin', 'bzfs'));
export const syncoidPath = (): string | undefined => program(cached('syncoid', 'syncoid'));

/** A Node of our cache; the folder is called by the version that was asked for. */
export const nodePath = (version: string): string | undefined =>
  program(cached('node', version, 'bin', 'node'));

const everyName = ['system', ...(Object.keys(versions.restic) as ResticName[])] as const;

const here = (names: readonly ResticName[]): { version: ResticName; path: string }[] =>
  names.flatMap((version) => {
    const path = resticPath(version);
    return path ? [{ version, path }] : [];
  });

/** For what must be shown with each of them: every restic that is here, also in `npm test`. */
export const everyRestic = (): { version: ResticName; path: string }[] => here(everyName);

/**
 * For whole suites: in `npm test` the oldest, which hurts most; else the oldest and the newest, and with HOLDFAST_EVERY_RESTIC all,
 * which takes half an hour.
 */
export function resticVersions(): { version: ResticName; path: string }[] {
  if (process.env.HOLDFAST_ONE_RESTIC) return here(['system']);
  return process.env.HOLDFAST_EVERY_RESTIC ? everyRestic() : here(['system', '0.18']);
}
