import { isAtOrBelow, parentOf } from './dataset-names.js';
import { actorsOn, actorWords, makerOf } from './replicate-actors.js';
import { type Common, newestCommon } from './replicate-base.js';
import type { DatasetPlan, PlanInput, PlanKind } from './replicate-types.js';
import type { Dataset, Snapshot } from './types.js';

/** Whether a replica may be continued. A "no" stops this dataset alone; nothing here is ever answered by overwriting. */

export interface Verdict {
  kind: Extract<PlanKind, 'diverged' | 'foreign' | 'encryption' | 'type' | 'wait'>;
  reason: string;
  loses?: string[];
}

export type Judged = { common: Common | undefined; note?: string } | Verdict;

export const isVerdict = (judged: Judged): judged is Verdict => 'kind' in judged;

/** Encrypted datasets travel encrypted, unless the policy says that they may be read over there. */
export function travelsRaw(source: Dataset, { policy, sourceRoot }: PlanInput): boolean {
  if (source.encryption === undefined || policy.encrypted === 'plain') return false;
  return policy.onlyOwnKeys !== true || isAtOrBelow(source.encryptionRoot ?? '', sourceRoot);
}

/** What forbids sending a dataset at all, whatever the target holds. */
export function mayNotTravel(source: Dataset, input: PlanInput): Verdict | undefined {
  if (input.policy.encrypted === 'required' && source.encryption === undefined)
    return {
      kind: 'encryption',
      reason: 'it is not encrypted and would arrive readable, which the job forbids',
    };
  const plain = source.encryption !== undefined && !travelsRaw(source, input);
  if (plain && source.keyStatus !== 'available')
    return { kind: 'wait', reason: 'its key is not loaded, so it cannot be sent readable' };
  return undefined;
}

/** A replica that exists: type, encryption, then its history against the source's. Where it is stopped, who else works on it is said. */
export function judgeReplica(source: Dataset, target: Dataset, input: PlanInput): Judged {
  const judged = judgeState(source, target, input);
  if (!isVerdict(judged)) return judged;
  const others = [...actorsOn(target, source)].filter(([who]) => !judged.reason.includes(who));
  return others.length === 0 ? judged : { ...judged, reason: `${judged.reason}; ${actorWords(others)}` };
}

function judgeState(source: Dataset, target: Dataset, input: PlanInput): Judged {
  if (source.type !== target.type)
    return { kind: 'type', reason: `the source is a ${source.type}, what is there is a ${target.type}` };
  const raw = travelsRaw(source, input);
  const mode = otherMode(source, target, raw, input);
  if (mode) return { kind: 'encryption', reason: mode };
  const common = newestCommon(source, target);
  if (common) return judgeHistory(common, target, raw);
  if (target.snapshots.length > 0) return noCommon(source, target, input);
  // A first copy that was interrupted says that it is ours: giving up a stranger's would destroy all that it has received.
  if (target.resumeToken !== undefined && ownReplicaOf(target, input) !== undefined)
    return { common: undefined };
  const received = target.resumeToken === undefined ? '' : ' but partially received state';
  const reason = `a dataset of others without snapshots${received} is there`;
  return { kind: 'foreign', reason };
}

/** A mix of raw and readable streams breaks a replica for ever, so it is refused before anything is sent. */
function otherMode(
  source: Dataset,
  target: Dataset,
  raw: boolean,
  { targetRoot }: PlanInput,
): string | undefined {
  if (target.snapshots.length === 0) return undefined;
  if (raw && target.encryption === undefined)
    return 'the replica was received readable, the source is to be sent encrypted: no stream fits both';
  const rootInside = isAtOrBelow(target.encryptionRoot ?? '', targetRoot);
  if (source.encryption !== undefined && !raw && rootInside)
    return 'the replica was received encrypted, the source is to be sent readable: no stream fits both';
  return undefined;
}

function judgeHistory(common: Common, target: Dataset, raw: boolean): Judged {
  const { at, newer } = common;
  const changed = target.writtenBytes > 0 && target.resumeToken === undefined;
  const wrote = newer.some(({ writtenBytes }) => writtenBytes > 0);
  if (newer.length === 0 && !changed) return { common };
  const names = newer.map(({ name }) => name);
  if (wrote || (newer.length > 0 && (changed || raw)))
    return {
      kind: 'diverged',
      reason: `the replica has ${newer.length} ${plural(newer.length)} that the source does not have (${few(newer)}) since @${at.name}`,
      loses: names,
    };
  if (changed)
    return {
      kind: 'diverged',
      reason: `someone wrote ${target.writtenBytes} bytes to the replica after @${at.name}`,
      loses: [],
    };
  return { common, note: `${newer.length} empty ${plural(newer.length)} of others there (${few(newer)})` };
}

/**
 * A name that is taken by another snapshot: no stream brings a second one, so the dataset would be behind for ever. Two tasks of one name at
 * both ends are enough for it. By all that would arrive; undefined where nothing is in the way.
 */
export function judgeNames(source: Dataset, target: Dataset, plan: DatasetPlan): Verdict | undefined {
  const names = new Map(arriving(source, plan).map(({ name, guid }) => [name, guid]));
  const inTheWay = target.snapshots.filter(({ name, guid }) => (names.get(name) ?? guid) !== guid);
  if (inTheWay.length === 0) return undefined;
  const at = target.snapshots.findIndex(({ guid }) => guid === plan.common?.guid);
  const newer = target.snapshots.slice(at + 1);
  const old = inTheWay.find((one) => !newer.includes(one));
  const reason = `${inTheWay.length} ${plural(inTheWay.length)} there took the name of one that is to arrive (${few(inTheWay)})`;
  if (!old) return { kind: 'diverged', reason, loses: newer.map(({ name }) => name) };
  // Nothing that is newer than it stands in the way: going back to the base would not help.
  const next = `@${old.name.slice(0, 60)} is no newer than the base: give it another name there ("zfs rename"), or park`;
  return { kind: 'diverged', reason: `${reason}; ${next}` };
}

/** What the streams of a plan would make on the target. */
function arriving({ snapshots }: Dataset, { segments, resume }: DatasetPlan): Snapshot[] {
  const sent = segments.flatMap(({ from, toGuid, intermediates }) => {
    const last = snapshots.findIndex(({ guid }) => guid === toGuid);
    const first = snapshots.findIndex(({ createtxg }) => createtxg > (from?.createtxg ?? 0));
    return snapshots.slice(intermediates ? first : last, last + 1);
  });
  return resume ? [...snapshots.filter(({ guid }) => guid === resume.toGuid), ...sent] : sent;
}

/** A stranger's dataset below a replica inherits what only the replica says of itself. */
export function ownReplicaOf(target: Dataset, input: Pick<PlanInput, 'target'>): string | undefined {
  const inherited = input.target.get(parentOf(target.name))?.replicaOf;
  return target.replicaOf === inherited ? undefined : target.replicaOf;
}

function noCommon(source: Dataset, target: Dataset, input: PlanInput): Verdict {
  const replicaOf = ownReplicaOf(target, input);
  const loses = target.snapshots.map(({ name }) => name);
  if (replicaOf === source.guid) {
    const took = promotedOver(source, target, input);
    const why = took === undefined ? '' : `: ${took} was promoted and took them over`;
    return {
      kind: 'diverged',
      reason: `the replica is of this dataset, but no snapshot or bookmark of the source is left on it${why}`,
      loses,
    };
  }
  if (replicaOf !== undefined)
    return {
      kind: 'diverged',
      reason: 'the source was made anew under an old name: the replica is of another dataset',
      loses,
    };
  return {
    kind: 'foreign',
    reason: `a dataset of others is there, with ${target.snapshots.length} snapshots (${few(target.snapshots)})`,
    loses,
  };
}

/** Promoting a clone takes snapshots and bookmarks over to it, the base and our cursor among them. */
function promotedOver(source: Dataset, target: Dataset, input: PlanInput): string | undefined {
  const there = new Set(target.snapshots.map(({ guid }) => guid));
  const seen = new Set<string>();
  let at = source.origin?.split('@')[0];
  while (at !== undefined && !seen.has(at)) {
    const former = input.source.get(at);
    if ([...(former?.snapshots ?? []), ...(former?.bookmarks ?? [])].some(({ guid }) => there.has(guid)))
      return at;
    seen.add(at);
    at = former?.origin?.split('@')[0];
  }
  return undefined;
}

const plural = (count: number): string => (count === 1 ? 'snapshot' : 'snapshots');

/** The newest few with who makes such names. */
function few(snapshots: readonly Snapshot[]): string {
  const newest = snapshots.slice(-2).map(({ name }) => {
    const maker = makerOf(name);
    return maker ? `${name.slice(0, 60)}, made by ${maker}` : name.slice(0, 60);
  });
  return newest.join('; ');
}

/** Whether the state that an interrupted receive left is gone on with, given up (for what is known), or waits (for what is not). */
export function judgeToken(
  source: Dataset,
  target: Dataset,
  raw: boolean,
  input: PlanInput,
): { resume: NonNullable<DatasetPlan['resume']> } | { abandon: string } | { unread: string } {
  const token = target.resumeToken ?? '';
  if (input.givenUp?.has(token)) return { abandon: 'it was tried several times in vain' };
  const { facts, hopeless, unread } = input.tokens?.get(target.name) ?? {};
  const to = source.snapshots.find(({ guid }) => guid === facts?.toGuid);
  if (facts && !to) return { abandon: `${facts.toName} is no longer on the source` };
  if (hopeless !== undefined) return { abandon: hopeless };
  if (!facts || !to || unread !== undefined) return { unread: unread ?? 'zfs was not asked' };
  if (facts.raw !== raw) return { abandon: 'it was begun in another encryption mode' };
  const newest = target.snapshots.at(-1)?.guid;
  if (facts.fromGuid !== newest) return { abandon: 'the replica has moved on since it was begun' };
  return { resume: { token, toName: to.name, toGuid: to.guid, bytesDone: facts.bytesDone } };
}
