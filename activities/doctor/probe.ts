import { isFolder, storeOf, storesOf, workerHostOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import type { HostFacts, SourceFacts, StoreFacts } from '../../contracts/doctor.js';
import { isoNow } from '../../system/clock.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { throughMount, whereItIsRead } from '../host/reading-host.js';
import { lookAtArrayFor } from '../snapraid/doctor.js';
import { lookAtChannels } from './channels.js';
import { findSpace, findTools, readState, whyStateNotWritable, wordsOf } from './machine.js';
import { lookOverSsh } from './over-ssh.js';
import { lookAtPools } from './pools.js';
import { lookAtSource } from './sources.js';
import { lookAtStore } from './stores.js';
import { lookForLeftovers } from './zfs-leftovers.js';
import { lookAtRights } from './zfs-rights.js';

/** Everything that a host can say about itself, gathered within a time and a size. */

export interface ProbeOptions {
  host: Host;
  /** The other end of a replication, by its name. */
  machine?: (name: string) => Host;
  /** The configuration that steps use; throws when the file is wrong. */
  config: () => Config;
  digests: (config: Config) => Record<string, string>;
  /** Of Holdfast. */
  version: string;
}

/** restic asks a store that is away for 30 s before it gives up. */
const storeMs = 40_000;
const allStoresMs = 80_000;
const storesAtOnce = 4;

/** Everything is asked at once where it does not share a disk or a line; no question can hold up the answer for ever. */
export async function probe(options: ProbeOptions, signal: AbortSignal): Promise<HostFacts> {
  const { host } = options;
  const { config, configuration } = readConfiguration(options);
  const ssh = await lookOverSsh(host, signal);
  const [tools, stateError, state] = await Promise.all([
    findTools(host, config, signal),
    whyStateNotWritable(host),
    readState(host),
  ]);
  const about = config ? await lookAtJobs(options, config, signal) : { sources: [], stores: [], space: [] };
  return fitted({
    v: 1,
    at: isoNow(),
    holdfast: options.version,
    node: process.version,
    uid: ssh?.uid ?? process.getuid?.() ?? -1,
    stateFolder: host.stateFolder,
    configuration,
    tools,
    ...(ssh && { ssh }),
    ...(stateError !== undefined && { stateError }),
    ...state,
    ...about,
  });
}

function readConfiguration({ config, digests }: ProbeOptions): {
  config?: Config;
  configuration: HostFacts['configuration'];
} {
  try {
    const own = config();
    return { config: own, configuration: { digests: digests(own) } };
  } catch (error) {
    return { configuration: { error: wordsOf(error) } };
  }
}

async function lookAtJobs(
  { host, machine }: ProbeOptions,
  config: Config,
  signal: AbortSignal,
): Promise<Pick<HostFacts, 'sources' | 'stores' | 'space' | 'channels' | 'pools' | 'zfs' | 'leftovers'>> {
  const { resources, stores } = workOf(config, host.name);
  const space = await findSpace(
    host,
    stores.map((store) => [store, storeOf(config, store).repository] as const),
  );
  const sources: SourceFacts[] = [];
  for (const [name, resource] of resources) {
    if (isFolder(resource)) sources.push(await lookAtSource(host, name, resource, signal));
    if (resource.snapraid) sources.push(await lookAtArray(questionTools(host, config, signal), name));
  }
  const { pools, datasets } = await lookAtPools(host, config, resources, signal);
  const [storeFacts, channels, leftovers] = await Promise.all([
    lookAtStores(host, config, stores, signal),
    lookAtChannels(host, config),
    // All pools are listed: as long as the stores take, which are elsewhere.
    lookForLeftovers(host, config, signal),
  ]);
  return {
    sources: [...sources, ...datasets],
    space,
    stores: storeFacts,
    ...(channels.length > 0 && { channels }),
    ...(leftovers && { leftovers }),
    ...(pools.length > 0 && { pools, zfs: await lookAtRights(host, config, signal, machine) }),
  };
}

/** The resources of jobs that this worker handles, and the stores they go to. */
export function workOf(
  config: Config,
  host: string,
): { resources: [string, Config['resources'][string]][]; stores: string[] } {
  const isOurs = (resource: string): boolean => {
    const owner = config.resources[resource]?.host;
    return owner !== undefined && workerHostOf(config, owner) === host;
  };
  const jobs = Object.values(config.jobs).filter((job) => job.resources.some(isOurs));
  const names = new Set(jobs.flatMap((job) => job.resources).filter(isOurs));
  const resources = Object.entries(config.resources).filter(([name]) => names.has(name));
  const toRepositories = jobs.filter(({ kind }) => kind === 'restic-backup');
  return { resources, stores: [...new Set(toRepositories.flatMap(storesOf))] };
}

async function lookAtArray(tools: Tools, resource: string): Promise<SourceFacts> {
  const directory = tools.config.resources[resource]?.snapraid?.config ?? '';
  try {
    const { error, warning, next } = await lookAtArrayFor(tools, resource);
    return {
      resource,
      directory,
      ...(error !== undefined && { error }),
      ...(warning !== undefined && { warning }),
      ...(next !== undefined && { next }),
    };
  } catch (error) {
    return { resource, directory, error: wordsOf(error) };
  }
}

/** A few at a time: each is a restic with memory of its own. */
async function lookAtStores(
  host: Host,
  config: Config,
  stores: readonly string[],
  signal: AbortSignal,
): Promise<StoreFacts[]> {
  const whole = AbortSignal.any([signal, AbortSignal.timeout(allStoresMs)]);
  const waiting = [...stores];
  const found = new Map<string, StoreFacts>();
  const work = async (): Promise<void> => {
    for (let store = waiting.shift(); store !== undefined; store = waiting.shift()) {
      const limited = AbortSignal.any([whole, AbortSignal.timeout(storeMs)]);
      const tools = questionTools(host, config, limited);
      const where = whereItIsRead(tools, throughMount(config, host.name, store));
      found.set(store, await lookAtStore(where, store));
    }
  };
  await Promise.all(Array.from({ length: storesAtOnce }, work));
  signal.throwIfAborted();
  return stores.flatMap((store) => found.get(store) ?? []);
}

const questionTools = (host: Host, config: Config, signal: AbortSignal): Tools => ({
  host,
  config,
  signal,
  run: 'doctor',
  attempt: 1,
  progress: () => undefined,
  log: () => undefined,
});

/** What Temporal keeps of each answer. */
const maxCharacters = 15_000;

const isWell = (entry: SourceFacts | StoreFacts): boolean =>
  'store' in entry
    ? !entry.error &&
      entry.locks.length === 0 &&
      entry.secrets.every(({ error, exposed }) => !error && !exposed)
    : !entry.error && !entry.unreadable && !entry.warning;

/** The longest part, and only where a name is taken at both ends something follows from it: it goes first. */
function withoutNames(facts: HostFacts): HostFacts {
  const { zfs, leftOut = 0 } = facts;
  if (!zfs?.named || JSON.stringify(facts).length <= maxCharacters) return facts;
  const { named, ...rest } = zfs;
  return { ...facts, zfs: rest, leftOut: leftOut + named.length };
}

/** Leaves out what is well first; what did not fit is counted, never silently dropped. */
export function fitted(facts: HostFacts): HostFacts {
  const worstFirst = <E extends SourceFacts | StoreFacts>(entries: E[]): E[] => [
    ...entries.filter((entry) => !isWell(entry)),
    ...entries.filter(isWell),
  ];
  const whole = {
    ...withoutNames(facts),
    sources: worstFirst(facts.sources),
    stores: worstFirst(facts.stores),
  };
  const { sources, stores } = whole;
  // The emptiest disks go first: they are no finding.
  const space = [...facts.space].sort((a, b) => a.bytesFree - b.bytesFree);
  while (JSON.stringify(whole).length > maxCharacters && space.pop()) {
    whole.space = [...space];
    whole.leftOut = (whole.leftOut ?? 0) + 1;
  }
  while (JSON.stringify(whole).length > maxCharacters) {
    const lastSource = sources.at(-1);
    const lastStore = stores.at(-1);
    const dropped = lastSource && (!lastStore || isWell(lastSource)) ? sources.pop() : stores.pop();
    if (!dropped) return whole;
    if (isWell(dropped)) whole.leftOut = (whole.leftOut ?? 0) + 1;
    else whole.leftOutBad = (whole.leftOutBad ?? 0) + 1;
  }
  return whole;
}
