import type { Config } from '../../config/schema.js';
import type { PoolFacts, SourceFacts } from '../../contracts/doctor.js';
import type { Host } from '../../system/host.js';
import { mustSucceed } from '../zfs/classify.js';
import { listTrees, type Zfs } from '../zfs/listing.js';
import { poolListCommand } from '../zfs/pool-command.js';
import { lookAtPool } from '../zfs/pool-look.js';
import { limitsOf } from '../zfs/pool-room.js';
import { wordsOf } from './machine.js';
import { replicaPlaces } from './zfs-actors.js';

/** Pools and datasets of a host, as its jobs will find them. Nothing is changed, and no tree is listed. */

type Resource = Config['resources'][string];
type Named = [name: string, resource: Resource];

const lookForMs = 30_000;

const poolOf = ({ pool, dataset }: Pick<Resource, 'pool' | 'dataset'>): string | undefined =>
  pool ?? dataset?.split('/')[0];

/** Each pool once, however many resources and replicas lie in it. */
export async function lookAtPools(
  host: Host,
  config: Config,
  resources: readonly Named[],
  signal: AbortSignal,
): Promise<{ pools: PoolFacts[]; datasets: SourceFacts[] }> {
  const names = new Set([
    ...resources.flatMap(([, resource]) => poolOf(resource) ?? []),
    ...replicaPlaces(config, host.name).flatMap((dataset) => poolOf({ dataset }) ?? []),
  ]);
  if (names.size === 0) return { pools: [], datasets: [] };
  const { zfs = 'zfs', zpool = 'zpool' } = config.hosts[host.name]?.tools ?? {};
  const limited = AbortSignal.any([signal, AbortSignal.timeout(lookForMs)]);
  const tools: Zfs = { host, signal: limited, zfs, zpool };
  const pools: PoolFacts[] = [];
  for (const pool of names) {
    const floorPercent = 100 * limitsOf(config, host.name, pool).floor;
    pools.push({ ...(await factsOf(tools, pool)), floorPercent });
  }
  const datasets: SourceFacts[] = [];
  for (const [resource, { dataset, mount }] of resources) {
    if (dataset === undefined) continue;
    const facts = await datasetFacts(tools, resource, dataset);
    const error = facts.error ?? (mount === undefined ? undefined : await mountError(host.driver, mount));
    datasets.push({ ...facts, ...(error !== undefined && { error }) });
  }
  return { pools, datasets };
}

async function factsOf(tools: Zfs, pool: string): Promise<PoolFacts> {
  try {
    const { state, scan, errorCount } = await lookAtPool(tools, pool);
    const { host, signal, zpool } = tools;
    const listed = await host.run(poolListCommand(zpool, pool), { signal });
    mustSucceed(listed, `ask for the size of ${pool}`, host.name);
    const [, , , free = '0', used = '0'] = listed.stdout.trim().split('\t');
    const scrubbed = scan?.kind === 'scrub' && scan.state === 'finished' ? scan.endedS : 0;
    return {
      pool,
      state,
      bytesFree: Number(free),
      usedPercent: Number(used.replace('%', '')),
      errors: errorCount,
      ...(scan && scan.state === 'running' && { busyWith: scan.kind }),
      ...(scrubbed > 0 && { scrubbedAt: new Date(scrubbed * 1000).toISOString() }),
    };
  } catch (error) {
    return { pool, error: wordsOf(error) };
  }
}

/** Where the driving machine reads a dataset through a mount. */
async function mountError(driver: Host, mount: string): Promise<string | undefined> {
  if (await driver.exists(`${mount}/.zfs/snapshot`)) return undefined;
  return `${mount}/.zfs/snapshot is not on the machine that drives the host: mount it there, with .zfs in reach`;
}

async function datasetFacts(tools: Zfs, resource: string, dataset: string): Promise<SourceFacts> {
  try {
    await listTrees(tools, { roots: [dataset], types: ['filesystem', 'volume'], depth: 0 });
    return { resource, directory: dataset };
  } catch (error) {
    return { resource, directory: dataset, error: wordsOf(error) };
  }
}
