import { HoldfastError } from '../../contracts/errors.js';
import { isoNow, now } from '../../system/clock.js';
import type { Host } from '../../system/host.js';
import { type Zfs, zfsWords } from './listing.js';
import {
  isManyLines,
  parseSharing,
  type SharingRead,
  shareProperties,
  sharingScript,
} from './sharing-read.js';
import type { Listing } from './types.js';

/** The copy of what a machine shares: one small file a resource, beside our records of that machine and on the machine of the replica. */

export interface SavedSharing extends SharingRead {
  v: 1;
  resource: string;
  /** Whose it is: who stands before the replica alone has no other word for it. Absent in older copies. */
  source?: { host: string; dataset: string };
  /** ISO 8601 UTC. */
  at: string;
  /** By dataset. */
  mountpoints: Record<string, string>;
  /** Datasets that were not there any more: what is said of them is older. */
  gone?: string[];
}

const fileOf = (stateFolder: string, resource: string): string => `${stateFolder}/sharing/${resource}.json`;

/** With nothing sent, what is known is good for so long: an idle run must not cost another command. Milliseconds. */
const freshForMs = 24 * 3_600_000;

export interface SharingPlace {
  source: Zfs;
  sourceRoot: string;
  resource: string;
  /** The machine of the replica: it may have to take over when our own records are gone as well. */
  target: Host;
  /** Datasets that are not what the replica was made of, or not there any more: of them stays what is known. */
  strangers: readonly string[];
}

/** Reads it anew where something was sent or the copy is old; what went wrong comes back in words and stops no replication. */
export async function saveSharing(
  { source, sourceRoot, resource, target, strangers }: SharingPlace,
  listing: Listing,
  somethingWasSent: boolean,
): Promise<string[]> {
  const { host, signal } = source;
  try {
    const known = await readFrom(host.driver, host.driver.stateFolder, resource);
    if (known && !somethingWasSent && now().getTime() - Date.parse(known.at) < freshForMs) return [];
    const sudo = host.remote?.target().sudo.includes('midclt') ? ['sudo', '-n'] : [];
    const script = sharingScript(zfsWords(source), [...sudo, 'midclt'], sourceRoot);
    const result = await host.run({ file: 'sh', args: ['-c', script], env: { LC_ALL: 'C' } }, { signal });
    const read = parseSharing(result.stdout);
    const whose = { resource, source: { host: host.name, dataset: sourceRoot } };
    const own = { ...whose, mountpoints: mountpointsOf(listing) };
    const saved = withStrangers(withEarlier(read, known, own), known, { strangers, listing });
    // The copy of the replica first: should it fail, the other is no reason to take it for written. It is read, because that of another store is
    // not its, and an update may empty an appliance's folder.
    if (!known || differs(known, saved) || !(await isOn(target, saved)))
      await writeTo(target, target.stateFolder, saved);
    await writeTo(host.driver, host.driver.stateFolder, saved);
    // What is only long stays so, and the plan of a send-back tells it: said in each run, nobody would read it.
    const news = read.problems.filter((one) => !isManyLines(one) || !known?.problems.includes(one));
    return news.map((problem) => `What ${host.name} shares could not be saved in full: ${problem}`);
  } catch (error) {
    if (signal.aborted) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return [`What ${host.name} shares could not be saved: ${why}`.slice(0, 300)];
  }
}

/** A part that could not be read now is kept as it was known: an answer that fails once must not make us forget. */
function withEarlier(
  read: SharingRead,
  known: SavedSharing | undefined,
  own: Pick<SavedSharing, 'resource' | 'source' | 'mountpoints'>,
): SavedSharing {
  const earlier = read.problems.every(isManyLines) ? undefined : known;
  const middleware = { ...earlier?.middleware, ...read.middleware };
  const { properties, allProperties } = read.allProperties || !known ? read : known;
  return {
    v: 1,
    ...own,
    at: isoNow(),
    ...(earlier?.exports && { exports: earlier.exports }),
    ...(earlier?.lio !== undefined && { lio: earlier.lio }),
    ...read,
    properties,
    ...(allProperties && { allProperties }),
    ...(Object.keys(middleware).length > 0 && { middleware }),
  };
}

/** What comes back from the replica is to get what its own source had; a place that another dataset has taken since is not its own any more. */
function withStrangers(
  saved: SavedSharing,
  known: SavedSharing | undefined,
  { strangers, listing }: Pick<SharingPlace, 'strangers'> & { listing: Listing },
): SavedSharing {
  const properties = { ...saved.properties };
  const gone = strangers.filter((name) => !listing.has(name));
  const taken = new Set([...Object.values(properties).map((own) => own.mountpoint), ...places(saved)]);
  for (const name of strangers) {
    const { mountpoint, ...own } = known?.properties[name] ?? {};
    const isFree = mountpoint !== undefined && (listing.has(name) || !taken.has(mountpoint));
    const all = isFree ? { ...own, mountpoint } : own;
    if (Object.keys(all).length > 0) properties[name] = all;
  }
  return { ...saved, properties, ...(gone.length > 0 && { gone }) };
}

const places = ({ mountpoints }: SavedSharing): string[] => Object.values(mountpoints);

const mountpointsOf = (listing: Listing): Record<string, string> =>
  Object.fromEntries(
    [...listing.values()].flatMap(({ name, mountpoint }) =>
      mountpoint?.startsWith('/') ? [[name, mountpoint] as const] : [],
    ),
  );

/** One command, also where there is none; what cannot be read is written anew. */
const isOn = async (host: Host, saved: SavedSharing): Promise<boolean> => {
  try {
    const text = await host.readFile(fileOf(host.stateFolder, saved.resource));
    return !differs(JSON.parse(text) as SavedSharing, saved);
  } catch {
    return false;
  }
};

const differs = (one: SavedSharing, other: SavedSharing): boolean =>
  JSON.stringify({ ...one, at: '' }) !== JSON.stringify({ ...other, at: '' });

const writeTo = (host: Host, stateFolder: string, saved: SavedSharing): Promise<void> =>
  host.writeFile(fileOf(stateFolder, saved.resource), `${JSON.stringify(saved)}\n`);

async function readFrom(
  host: Host,
  stateFolder: string,
  resource: string,
): Promise<SavedSharing | undefined> {
  const file = fileOf(stateFolder, resource);
  if (!(await host.exists(file))) return undefined;
  const value = JSON.parse(await host.readFile(file)) as Partial<SavedSharing>;
  if (value.v !== 1 || value.resource !== resource) return undefined;
  return value as SavedSharing;
}

/** The copy on the machine of a replica; undefined when there is none that can be read. */
export const savedOn = (host: Host, resource: string): Promise<SavedSharing | undefined> =>
  readFrom(host, host.stateFolder, resource).catch(() => undefined);

/** The newer of both copies; undefined when there is none. `source` may be a machine that is gone: only its driver is asked. */
export async function readSharing(
  source: Host,
  target: Host,
  resource: string,
): Promise<SavedSharing | undefined> {
  const places = [
    [source.driver, source.driver.stateFolder],
    [target, target.stateFolder],
  ] as const;
  const found: SavedSharing[] = [];
  for (const [host, folder] of places) {
    // A host that is its own driver and is gone has taken its copy with it.
    if (host === source && host !== target) continue;
    try {
      found.push(...[await readFrom(host, folder, resource)].filter((one) => one !== undefined));
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'HF_CANCELLED') throw error;
    }
  }
  return found.sort((one, other) => (one.at < other.at ? 1 : -1))[0];
}

/**
 * What a dataset said of its own mount point and shares. TrueNAS imports its pools below /mnt, which stands in front of what a dataset says
 * and would be put there twice: its mount points stay behind.
 */
export function ownPlaces(
  saved: SavedSharing | undefined,
  dataset: string,
): Readonly<Record<string, string>> {
  // Nobody used it any more: it takes no place beside those that were in use.
  if (saved?.gone?.includes(dataset)) return {};
  const all = Object.entries(saved?.properties[dataset] ?? {});
  const { mountpoint, ...own } = Object.fromEntries(
    all.filter(([property]) => shareProperties.includes(property)),
  );
  return mountpoint === undefined || saved?.middleware ? own : { ...own, mountpoint };
}
