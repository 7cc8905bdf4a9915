import { replicaHostOf, resourceOf, storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import type { ZfsFacts } from '../../contracts/doctor.js';
import type { Host } from '../../system/host.js';
import { limiters } from '../zfs/replicate-wire.js';

type Lacks = NonNullable<ZfsFacts['lacks']>;

/** What replications want between both ends of a stream, and this host has not. `machine`: the other ends, as its worker reaches them. */
export async function lackingPrograms(
  host: Host,
  config: Config,
  machine?: (name: string) => Host,
): Promise<Lacks> {
  const lacks: Lacks = [];
  for (const [job, of] of Object.entries(config.jobs)) {
    if (of.kind !== 'zfs-replication') continue;
    const isSource = of.resources.some((name) => resourceOf(config, name).host === host.name);
    const isTarget = storesOf(of).some((store) => replicaHostOf(config, store) === host.name);
    if (of.compress === true && (isSource || isTarget) && !(await hasOneOf(host, ['zstd'])))
      lacks.push({ job, program: 'zstd' });
    if (of.limit === undefined || !isSource || (await hasOneOf(host, limiters))) continue;
    const others = [...new Set(storesOf(of).map((store) => replicaHostOf(config, store)))];
    for (const other of others) lacks.push(...(await lackingAt(other, job, host, machine)));
  }
  return lacks;
}

/** One limiter at either end is enough: without one here it is the other end's to have. */
async function lackingAt(
  other: string | undefined,
  job: string,
  host: Host,
  machine?: (name: string) => Host,
): Promise<Lacks> {
  const lack = { job, program: limiters.join(' or '), ...(other !== undefined && { other }) };
  if (other === host.name) return [{ ...lack, neither: true }];
  try {
    const there = other === undefined ? undefined : machine?.(other);
    if (!there) return [lack];
    return (await hasOneOf(there, limiters)) ? [] : [{ ...lack, neither: true }];
  } catch {
    // It does not answer, and has a finding of its own.
    return [lack];
  }
}

async function hasOneOf(host: Host, programs: readonly string[]): Promise<boolean> {
  const found = await Promise.all(programs.map((program) => host.findProgram(program)));
  return found.some((file) => file !== undefined);
}
