import type { AttributePlan } from '../../contracts/attributes.js';
import type { Host } from '../../system/host.js';

/** How the attributes of a copy will be read for the comparison, and what that costs: the plan says it before anybody says yes. */

/** More than this is read a second time only when it was asked for: it costs hours, and at some providers money. */
export const readAgainUpToBytes = 10 * 2 ** 30;

/** Pure. `missing` is what keeps the host from comparing at all, `noMount` what keeps it from mounting a copy. */
export function chooseWay(facts: {
  bytes: number;
  asked: boolean;
  missing: string | undefined;
  noMount: string | undefined;
}): AttributePlan {
  const { bytes, asked, missing, noMount } = facts;
  if (missing !== undefined) return { way: 'none', bytesReadAgain: 0, why: missing };
  if (noMount === undefined) return { way: 'mount', bytesReadAgain: 0 };
  if (asked || bytes <= readAgainUpToBytes)
    return { way: 'second read', bytesReadAgain: bytes, why: noMount };
  return { way: 'none', bytesReadAgain: 0, why: noMount, bytesIfAsked: bytes };
}

/** Looks at the host. */
export async function planAttributes(
  { host, signal }: { host: Host; signal: AbortSignal },
  bytes: number,
  asked: boolean,
): Promise<AttributePlan> {
  const getfattr = await host.findProgram('getfattr');
  const missing = getfattr === undefined ? 'the program getfattr is not there (package "attr")' : undefined;
  return chooseWay({ bytes, asked, missing, noMount: await whyNoMount(host, signal) });
}

/** restic mounts through fusermount, whoever it runs as. */
async function whyNoMount(host: Host, signal: AbortSignal): Promise<string | undefined> {
  const device = ['-c', '/dev/fuse', '-a', '-r', '/dev/fuse', '-a', '-w', '/dev/fuse'];
  const { exitCode } = await host.run({ file: 'test', args: device }, { signal });
  if (exitCode !== 0) return 'the host has no /dev/fuse that we may use';
  if ((await host.findProgram('fusermount')) === undefined)
    return 'the program fusermount is not there (package "fuse3")';
  return undefined;
}
