import type { Finding, PoolFacts, ZfsFacts } from '../../contracts/doctor.js';
import { bytes } from '../render.js';
import type { Teller } from './findings.js';

/** Pools as a host sees them. Pure. */

const dayMs = 86_400_000;
/** Scrubs are weekly or monthly; one more day is nobody's fault. */
const scrubWithinDays = 40;

/** `nowMs` is of the clock by which the scrub's end was read. */
export function judgePool(tell: Teller, facts: PoolFacts, nowMs: number): Finding[] {
  const subject = `pool ${facts.pool}`;
  if (facts.error !== undefined)
    return [tell.blocking(subject, facts.error, 'Look at "zpool status" on the host')];
  return [
    judgeHealth(tell, subject, facts),
    ...judgeRoom(tell, subject, facts),
    ...judgeAge(tell, subject, facts, nowMs),
  ];
}

function judgeHealth(tell: Teller, subject: string, { state, errors = 0, busyWith }: PoolFacts): Finding {
  const next = 'Look at "zpool status -v" on the host: which disk it is, and which files';
  if (errors > 0)
    return tell.blocking(subject, `${errors} errors in its data that could not be repaired`, next);
  if (state === 'ONLINE')
    return tell.ok(subject, `ONLINE, no known errors${busyWith ? `; a ${busyWith} is under way` : ''}`);
  const level = state === 'DEGRADED' ? 'warning' : 'blocking';
  return tell[level](subject, `it is ${state}`, next);
}

/** ZFS becomes slow when it is nearly full, and snapshots are what fills it. */
function judgeRoom(tell: Teller, subject: string, facts: PoolFacts): Finding[] {
  const { usedPercent = 0, bytesFree = 0, floorPercent = 0 } = facts;
  const found = `${usedPercent} % full, ${bytes(bytesFree)} free`;
  // By what datasets may use, which is less than this, the floor may be reached a little earlier.
  if (usedPercent > 100 - floorPercent)
    return [
      tell.blocking(
        subject,
        `${found}: below its floor of ${floorPercent} %, so no snapshot is taken and nothing is received`,
        'Free some space: look at "zfs list -o space", snapshots among it; or lower hosts.NAME.pools.POOL.floor',
      ),
    ];
  if (usedPercent >= 90)
    return [tell.warning(subject, found, 'Free some space: look at "zfs list -o space", snapshots among it')];
  return usedPercent >= 85 ? [tell.note(subject, found)] : [];
}

function judgeAge(
  tell: Teller,
  subject: string,
  { scrubbedAt, busyWith }: PoolFacts,
  nowMs: number,
): Finding[] {
  if (busyWith === 'scrub') return [];
  if (scrubbedAt === undefined)
    return [
      tell.note(subject, 'no finished scrub is known', 'A job of the kind zfs-scrub reads it as a whole'),
    ];
  const days = Math.floor((nowMs - Date.parse(scrubbedAt)) / dayMs);
  if (days <= scrubWithinDays) return [];
  return [
    tell.warning(subject, `its last scrub ended ${days} days ago`, 'Schedule a job of the kind zfs-scrub'),
  ];
}

/** The very lines that an administrator gives on the host. */
export function judgeZfs(
  tell: Teller,
  { version, missing, wanted = [], others = [], lacks = [], error }: ZfsFacts,
): Finding[] {
  if (error !== undefined)
    return [tell.blocking('zfs', error, 'Install OpenZFS there, or name its path in hosts.NAME.tools')];
  const denied = missing.map(({ dataset, user, permissions }) =>
    tell.blocking(
      'zfs',
      `${user} may not ${permissions.join(', ')} on ${dataset}`,
      permissions.includes('scrub')
        ? 'Only root may: list zpool under ssh.sudo of the host (and in its sudoers), or run the worker as root'
        : `As root there: zfs allow -u ${user} ${permissions.join(',')} ${quoted(dataset)}`,
    ),
  );
  const rights =
    denied.length > 0
      ? denied
      : [tell.ok('zfs', `OpenZFS ${version}, and all that the jobs need is allowed`)];
  return [
    ...rights,
    ...wanted.map(({ dataset, user, permissions }) =>
      tell.note(
        'zfs',
        `${user} may not ${permissions.join(', ')} on ${dataset}: a dataset whose stream was cut and can never be gone on with stays behind until what has arrived of it is given up`,
        `By hand when a run names one: zfs receive -A DATASET. Or, with which snapshots there can be destroyed as well: zfs allow -u ${user} ${permissions.join(',')} ${quoted(dataset)}`,
      ),
    ),
    ...lacks.map((one) => judgeLack(tell, one)),
    ...others.map((other) => judgeOther(tell, other)),
  ];
}

/** Compressed streams need both ends; one limit somewhere is enough. */
function judgeLack(
  tell: Teller,
  { job, program, other, neither }: NonNullable<ZfsFacts['lacks']>[number],
): Finding {
  if (program === 'zstd')
    return tell.blocking(
      'zstd',
      `is not installed, and "compress" of ${job} needs it`,
      'Install it (package zstd), or take "compress" out',
    );
  if (neither)
    return tell.blocking(
      program,
      `is installed neither here nor on ${other}, and "limit" of ${job} needs one: its runs send nothing`,
      'Install one of them on either host, or take "limit" out',
    );
  return tell.warning(
    program,
    `is not installed: without one on ${other ?? 'the other host'} "limit" of ${job} cannot be kept, and its runs fail`,
    'Install one of them',
  );
}

/** At a source another tool is a neighbour; at a target it rolls back what it does not know. */
function judgeOther(
  tell: Teller,
  { dataset, side, who, by }: NonNullable<ZfsFacts['others']>[number],
): Finding {
  const found = `${who} works on ${dataset} too (${by})`;
  if (side === 'source') return tell.note('other tools', `${found}; what it makes is left alone`);
  return tell.warning(
    'other tools',
    `${found}, where our replica is`,
    'Give each tool a target of its own: most of them receive with -F, which destroys what they do not know',
  );
}

/** As a shell takes it. */
export const quoted = (dataset: string): string => (/[^\w/.:-]/.test(dataset) ? `'${dataset}'` : dataset);
