import { HoldfastError } from '../../contracts/errors.js';
import type { Dataset } from './types.js';

/**
 * Which side of a replication is in use. After a failover it stands as a user property on the roots of both sides: it is read with the
 * listing that each run makes anyway, and survives the loss of everything else that we know.
 */

export interface Role {
  /**
   * `promoted`: this replica is in use. `standby`: another side is. `kept`: a replica whose source had gone, left as it was.
   * `unknown`: somebody else's text; nothing is done on its word.
   */
  kind: 'promoted' | 'standby' | 'kept' | 'unknown';
  /** The failover or failback that said so. */
  run: string;
  /** The store whose replica it is about. */
  store: string;
}

export const roleText = ({ kind, run, store }: Role): string => `${kind} ${run} ${store}`;

/** undefined where nothing was ever taken over. */
export function roleOf(dataset: Pick<Dataset, 'role'> | undefined): Role | undefined {
  const text = dataset?.role;
  if (text === undefined || text === '' || text === '-') return undefined;
  const [, kind, run = '', store = ''] = /^(promoted|standby|kept) (\S+) (\S+)$/.exec(text) ?? [];
  if (kind === undefined) return { kind: 'unknown', run: text.slice(0, 80), store: '' };
  return { kind: kind as Role['kind'], run, store };
}

export interface BothRoots {
  source: Dataset | undefined;
  target: Dataset | undefined;
}

export interface Sides {
  sourceHost: string;
  targetHost: string;
  job: string;
}

/** What ends a failback that was cut between the two sides: the journal of the replica's host knows what is left to do; without it there is a longer way. */
export const endsFailback = (run: string, { job, targetHost }: Sides): string =>
  `"holdfast undo ${targetHost}" ends what ${run} began once that run is over; should it find nothing, "holdfast do ${job} failover" and then "failback" do`;

/** The same for a failover: the replica may not have been touched, and only then its source can be used again. */
export const endsFailover = (run: string, { job, targetHost }: Sides): string =>
  `"holdfast do ${job} failover" goes on with what ${run} began once that run is over; "holdfast undo ${targetHost}" takes it back if the replica was not touched yet`;

/** Why the usual direction must send nothing now, in words; undefined when it may. `run` is the one that asks. */
export function whyNotForward(roots: BothRoots, run: string, sides: Sides): string | undefined {
  const [source, target] = [roleOf(roots.source), roleOf(roots.target)];
  const back = `"holdfast do ${sides.job} failback" brings it back to ${sides.sourceHost}`;
  if (target?.kind === 'unknown' || source?.kind === 'unknown')
    return `${(target?.kind === 'unknown' ? roots.target : roots.source)?.name} says of its role "${(target ?? source)?.run}", which nobody here wrote. Look at its property holdfast:role`;
  if (target?.kind === 'promoted') {
    const both =
      source?.kind === 'standby'
        ? ''
        : ` ${roots.source?.name ?? 'its source'} on ${sides.sourceHost} was not standing by: two sides may have been written to.`;
    return `${roots.target?.name} on ${sides.targetHost} is the one in use since ${target.run}.${both} Nothing was sent; ${back}`;
  }
  if (source?.kind === 'standby' && source.run !== run && target?.kind === 'standby')
    return `${roots.source?.name} on ${sides.sourceHost} stands by since ${source.run}, and its replica since ${target.run}, which has not brought it back to the end. Nothing was sent; ${endsFailback(target.run, sides)}`;
  if (source?.kind === 'standby' && source.run !== run)
    return `${roots.source?.name} on ${sides.sourceHost} stands by since ${source.run}: the replica in ${source.store} is the one in use. Nothing was sent; ${back}`;
  return undefined;
}

/** The same for the way back: the replica is in use, or was stopped by this very run, and the other side stands by. */
export function whyNotBack(roots: BothRoots, run: string, sides: Sides): string | undefined {
  const [replica, returned] = [roleOf(roots.target), roleOf(roots.source)];
  const inUse = replica?.kind === 'promoted' || (replica?.kind === 'standby' && replica.run === run);
  if (!inUse)
    return `${roots.target?.name ?? 'the replica'} on ${sides.targetHost} is not the one in use: there is nothing to bring back`;
  if (roots.source !== undefined && returned?.kind !== 'standby' && !isReceivedFrom(roots))
    return `${roots.source.name} on ${sides.sourceHost} does not stand by: it could be written to while it receives`;
  return undefined;
}

/** Sent back to where the resource lives, the source would be writable again beside a replica that is in use: two sides, which nothing joins. */
export function refuseSecondSide(replica: Pick<Dataset, 'name' | 'role'> | undefined, job: string): void {
  const role = roleOf(replica);
  if (role === undefined || role.kind === 'kept') return;
  const words =
    role.kind === 'unknown'
      ? `${replica?.name} says of its role "${role.run}", which nobody here wrote. Look at its property holdfast:role`
      : `${replica?.name} ${role.kind === 'promoted' ? 'is the one in use' : 'stands by for a failback'} since ${role.run}: what comes back to the resource's own dataset would be a second one. Use "holdfast do ${job} failback", or restore beside with --to`;
  throw new HoldfastError('HF_FAILED_OVER', words.slice(0, 500));
}

/** A machine that was built anew has nothing but what the replica sent it, which nobody can write to. */
export const isReceivedFrom = ({ source, target }: BothRoots): boolean =>
  source?.readonly === 'on' && target !== undefined && source.replicaOf === target.guid;

/** What is made of a dataset that stands by looks fresh and is old: snapshots and backups of it are refused. `why`: what else is refused. */
export function refuseStandby(
  datasets: Iterable<Pick<Dataset, 'name' | 'role'>>,
  host: string,
  why = 'What would be taken here is old',
): void {
  for (const dataset of datasets) {
    const role = roleOf(dataset);
    if (role?.kind !== 'standby' && role?.kind !== 'unknown') continue;
    throw new HoldfastError(
      'HF_FAILED_OVER',
      `${dataset.name} on "${host}" stands by since ${role.run}: the replica in ${role.store || 'another store'} is the one in use. ${why}`.slice(
        0,
        300,
      ),
    );
  }
}
