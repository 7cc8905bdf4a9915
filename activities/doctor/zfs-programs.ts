import { replicaHostOf, resourceOf, storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import type { ZfsFacts } from '../../contracts/doctor.js';
import type { Host } from '../../system/host.js';
import { limiters } from '../zfs/replicate-wire.js';

/** What replications want between both ends of a stream, and this host has not. */
export async function lackingPrograms(host: Host, config: Config): Promise<NonNullable<ZfsFacts['lacks']>> {
  const lacks: NonNullable<ZfsFacts['lacks']> = [];
  const isThere = async (program: string): Promise<boolean> =>
    (await host.findProgram(program)) !== undefined;
  for (const [job, of] of Object.entries(config.jobs)) {
    if (of.kind !== 'zfs-replication') continue;
    const isSource = of.resources.some((name) => resourceOf(config, name).host === host.name);
    const isTarget = storesOf(of).some((store) => replicaHostOf(config, store) === host.name);
    if (of.compress && (isSource || isTarget) && !(await isThere('zstd')))
      lacks.push({ job, program: 'zstd' });
    if (of.limit === undefined || !isSource) continue;
    const found = await Promise.all(limiters.map(isThere));
    if (!found.includes(true)) lacks.push({ job, program: limiters.join(' or ') });
  }
  return lacks;
}
