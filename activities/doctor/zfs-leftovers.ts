import type { Config } from '../../config/schema.js';
import type { LeftoverFacts } from '../../contracts/leftovers.js';
import type { Host } from '../../system/host.js';
import { goneOnByNobody, halfReceived } from '../zfs/half-received.js';
import { commandToRelease, groupsOf, jobCovering } from '../zfs/leftover-groups.js';
import { claimsOn, leftoversIn, type Remembered } from '../zfs/leftovers.js';
import { lookAtForgotten, type Marks } from '../zfs/marks.js';
import { readRemembered } from '../zfs/replicate-states.js';
import { wordsOf } from './machine.js';

/** What removed or renamed replications, and runs whose state folder was lost, have left in the pools of a host: it keeps snapshots from going, and no run sees it any more. */

const lookForMs = 30_000;
/** Every replica has a fence, so there may be thousands that are as they should be. */
const mostHeld = 5_000;
const told = 10;

/** In all pools that are there, also those that the file names no more. Nothing is changed. */
export async function lookForLeftovers(
  host: Host,
  config: Config,
  signal: AbortSignal,
): Promise<LeftoverFacts | undefined> {
  const { zfs = 'zfs', zpool = 'zpool' } = config.hosts[host.name]?.tools ?? {};
  const limited = AbortSignal.any([signal, AbortSignal.timeout(lookForMs)]);
  try {
    if ((await host.findProgram(zfs)) === undefined) return undefined;
    const tools = { host, signal: limited, zfs, zpool };
    const seen = await lookAtForgotten(host, tools, 'all pools', mostHeld);
    const half = goneOnByNobody(await halfReceived(tools), claimsOn(config, host.name));
    return {
      ...leftoverFacts(config, host.name, seen, await readRemembered(host)),
      ...(half.length > 0 && { half: half.slice(0, told), halfCount: half.length }),
    };
  } catch (error) {
    return { groups: [], groupCount: 0, lines: [], lineCount: 0, error: wordsOf(error) };
  }
}

/** Pure. */
export function leftoverFacts(
  config: Config,
  host: string,
  { marks, unasked }: Marks,
  remembered: Remembered,
): LeftoverFacts {
  const left = leftoversIn(marks, claimsOn(config, host));
  const jobs = new Map<string, string | undefined>();
  const jobOf = (dataset: string): string | undefined => {
    if (!jobs.has(dataset)) jobs.set(dataset, jobCovering(config, host, dataset));
    return jobs.get(dataset);
  };
  const groups = groupsOf(left, remembered, jobOf);
  const bare = left
    .filter(({ dataset }) => jobOf(dataset) === undefined)
    .sort((one, other) => other.usedBytes - one.usedBytes);
  return {
    groups: groups.slice(0, told),
    groupCount: groups.length,
    lines: bare.slice(0, told).map(commandToRelease),
    lineCount: bare.length,
    ...(unasked > 0 && { unasked }),
  };
}
