import type { Config } from '../../config/schema.js';
import type { ZfsFacts } from '../../contracts/doctor.js';
import type { Host } from '../../system/host.js';
import { zfsCommand } from '../zfs/list-command.js';
import { neededPermissions, parseAllowed, parseZfsVersion } from '../zfs/permissions.js';
import { wordsOf } from './machine.js';
import { lookForOthers } from './zfs-actors.js';
import { lackingPrograms } from './zfs-programs.js';

/** Which OpenZFS a host has, and what its user may not do there. Nothing is tried out: `zfs allow` is asked. */

const lookForMs = 20_000;

/** No right to scrub can be delegated. */
function poolsWithoutRight(host: Host, { jobs, resources }: Config, user: string): ZfsFacts['missing'] {
  if (host.remote?.target().sudo.includes('zpool')) return [];
  const scrubbed = Object.values(jobs).flatMap((job) => (job.kind === 'zfs-scrub' ? job.resources : []));
  return [...new Set(scrubbed)].flatMap((name) => {
    const { host: owner, pool } = resources[name] ?? {};
    return owner === host.name && pool !== undefined ? [{ dataset: pool, user, permissions: ['scrub'] }] : [];
  });
}

/** Root may everything, and so may whoever has sudo for zfs. */
export async function lookAtRights(
  host: Host,
  config: Config,
  signal: AbortSignal,
  machine?: (name: string) => Host,
): Promise<ZfsFacts> {
  const zfs = config.hosts[host.name]?.tools.zfs ?? 'zfs';
  const limited = AbortSignal.any([signal, AbortSignal.timeout(lookForMs)]);
  try {
    const { stdout } = await host.run(zfsCommand(zfs, ['version']), { signal: limited });
    const version = parseZfsVersion(stdout);
    const seen = await lookForOthers(host, config, limited);
    const lacks = await lackingPrograms(host, config, machine);
    const facts: ZfsFacts = { version: version.join('.') || 'unknown', missing: [], ...seen, lacks };
    const { stdout: user } = await host.run({ file: 'id', args: ['-un'] }, { signal: limited });
    if (user.trim() === 'root') return facts;
    facts.missing.push(...poolsWithoutRight(host, config, user.trim()));
    if (host.remote?.target().sudo.includes('zfs')) return facts;
    for (const { dataset, permissions, wanted = [] } of neededPermissions(config, host.name, version)) {
      const asked = await host.run(zfsCommand(zfs, ['allow', dataset]), { signal: limited });
      if (asked.exitCode !== 0) continue;
      const granted = parseAllowed(asked.stdout, dataset, user.trim());
      const lacking = (some: string[]): string[] => some.filter((one) => granted?.has(one) === false);
      const lack = { dataset, user: user.trim() };
      const [missing, useful] = [lacking(permissions), lacking(wanted)];
      if (missing.length > 0) facts.missing.push({ ...lack, permissions: missing });
      if (useful.length > 0) facts.wanted = [...(facts.wanted ?? []), { ...lack, permissions: useful }];
    }
    return facts;
  } catch (error) {
    return { version: 'unknown', missing: [], error: wordsOf(error) };
  }
}
