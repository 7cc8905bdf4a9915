import type { Finding, NamedFacts, ZfsFacts } from '../../contracts/doctor.js';
import { about } from './findings.js';

/** What only both ends together show. Pure. */

/** From one host that has answered. */
export interface HostZfs {
  host: string;
  zfs: Pick<ZfsFacts, 'named'>;
}

interface End extends NamedFacts {
  host: string;
}

/** The same name and another guid at both ends of a replication: what the source made never arrives. One finding for each replica. */
export function judgeNames(hosts: readonly HostZfs[]): Finding[] {
  const ends: End[] = hosts.flatMap(({ host, zfs }) => (zfs.named ?? []).map((end) => ({ ...end, host })));
  const isOneOf = (end: End, other: End): boolean =>
    other.side === 'source' && other.job === end.job && other.resource === end.resource;
  return ends.flatMap((end) => {
    const source = end.side === 'target' ? ends.find((other) => isOneOf(end, other)) : undefined;
    return source ? judgePair(source, end) : [];
  });
}

function judgePair(source: End, target: End): Finding[] {
  const guids = new Map(source.snapshots.map(([name, guid]) => [name, guid]));
  const last = target.snapshots.findLast(([name, guid]) => (guids.get(name) ?? guid) !== guid);
  if (!last) return [];
  const [name, , who = 'somebody'] = last;
  return [
    about(target.host).warning(
      'other tools',
      `${who} makes snapshots of the same names of ${target.dataset} and of ${source.dataset} on ${source.host} (@${name.slice(0, 80)}): those of the source cannot arrive`,
      `Leave the replica out of the task that makes them there; "holdfast do ${target.job} roll-back --plan" shows which of them would go`,
    ),
  ];
}
