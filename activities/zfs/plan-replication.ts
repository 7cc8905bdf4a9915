import { parentOf } from './dataset-names.js';
import { newestWanted, segmentsFor, segmentTo, thin, wantedAfter } from './replicate-base.js';
import {
  isVerdict,
  judgeNames,
  judgeReplica,
  judgeToken,
  mayNotTravel,
  travelsRaw,
} from './replicate-judge.js';
import { type Pairing, pairUp, targetNameOf } from './replicate-moves.js';
import { isParked } from './replicate-names.js';
import type { Base, DatasetPlan, PlanInput } from './replicate-types.js';
import { leadingTo } from './select.js';
import type { Dataset, Snapshot } from './types.js';

/** Two listings and a policy in, one plan with a reason for each dataset out. Pure: the same listings always give the same plan. */
export function planReplication(input: PlanInput): DatasetPlan[] {
  const pairing = pairUp(input);
  const plans = new Map<string, DatasetPlan>();
  const newest = newestWanted(input.source, input.policy);
  const isLeftOut = leftOut(input);
  for (const source of input.source.values()) {
    const plan = planDataset(source, input, pairing, { plans, newest, isLeftOut });
    plans.set(plan.target, plan);
  }
  return [...plans.values(), ...pairing.left().map(planLeft)];
}

const planned = (source: Dataset, target: string, raw: boolean): DatasetPlan => ({
  kind: 'nothing',
  reason: '',
  source: source.name,
  target,
  type: source.type,
  guid: source.guid,
  raw,
  behind: 0,
  segments: [],
  holds: [],
  bytes: 0,
  level: 0,
});

interface Around {
  plans: ReadonlyMap<string, DatasetPlan>;
  /** See newestWanted. */
  newest: number | undefined;
  isLeftOut(source: Dataset): boolean;
}

/** By the configuration: what merely could lead to something that is meant is left out where nothing of the kind lies below it. */
function leftOut({ source, sourceRoot, policy }: PlanInput): Around['isLeftOut'] {
  const below = ({ name }: Dataset): string => name.slice(sourceRoot.length + 1);
  const { excludes, onlyLeads = () => false } = policy;
  const meant = [...source.values()].filter((one) => !excludes(below(one)) && !onlyLeads(below(one)));
  const leading = leadingTo(
    meant.map(({ name }) => name),
    sourceRoot,
  );
  return (one) => excludes(below(one)) || (onlyLeads(below(one)) && !leading.has(one.name));
}

function planDataset(
  source: Dataset,
  input: PlanInput,
  pairing: Pairing,
  { plans, newest, isLeftOut }: Around,
): DatasetPlan {
  const target = targetNameOf(source.name, input);
  const raw = travelsRaw(source, input);
  const plan = planned(source, target, raw);
  const replica = pairing.replicaFor(source, target);
  if (isLeftOut(source)) return { ...plan, kind: 'excluded', reason: 'left out by the configuration' };
  const known = { ...plan, ...movesOf(replica, target) };
  const forbidden = mayNotTravel(source, input);
  if (forbidden) return { ...known, ...forbidden };
  if (replica) return continueReplica(source, replica.dataset, known, input);
  if (isYoung(source, input, newest))
    return {
      ...known,
      kind: 'young',
      reason: 'it was made after the newest snapshot and comes with the next',
    };
  return startReplica(source, known, input, plans.get(parentOf(target)), pairing);
}

/**
 * Made since the snapshots were taken that it would have been part of: those of what is above it. Another job may have snapshots of other
 * parts of the tree more often.
 */
function isYoung(source: Dataset, { source: all, policy }: PlanInput, newest: number | undefined): boolean {
  const newestOf = (one: Dataset): number | undefined => newestWanted(new Map([[one.name, one]]), policy);
  if (newestOf(source) !== undefined) return false;
  for (let above = all.get(parentOf(source.name)); above; above = all.get(parentOf(above.name))) {
    const taken = newestOf(above);
    if (taken !== undefined) return source.createtxg > taken;
  }
  return newest !== undefined && source.createtxg > newest;
}

/** A replica moves with what is above it, and then by itself where it has a new name of its own. */
function movesOf(
  replica: ReturnType<Pairing['replicaFor']>,
  target: string,
): Pick<DatasetPlan, 'renameFrom' | 'presentName'> {
  if (!replica) return {};
  const { renameFrom, dataset } = replica;
  return {
    ...(renameFrom !== undefined && { renameFrom }),
    ...(dataset.name !== target && { presentName: dataset.name }),
  };
}

/** Nothing is there: everything is sent, once its parent is there to hang it under. */
function startReplica(
  source: Dataset,
  plan: DatasetPlan,
  input: PlanInput,
  parent: DatasetPlan | undefined,
  pairing: Pairing,
): DatasetPlan {
  const comes = parent?.kind === 'full';
  const isRoot = plan.target === input.targetRoot;
  if (!isRoot && !comes && !pairing.exists(parentOf(plan.target)))
    return { ...plan, kind: 'wait', reason: `its parent is not on the target: ${parent?.reason ?? ''}` };
  const later = comes ? pairing.replicaLater(source) : undefined;
  if (later !== undefined)
    return { ...plan, kind: 'wait', reason: `its replica ${later} is moved when its parent is there` };
  const level = comes ? parent.level + 1 : 0;
  const sent = withStreams(source, { ...plan, level }, input, undefined);
  if (sent.segments.length === 0)
    return { ...sent, kind: 'wait', reason: 'it has no snapshot that could be sent' };
  return { ...sent, kind: 'full', reason: 'it is not on the target' };
}

function continueReplica(source: Dataset, target: Dataset, plan: DatasetPlan, input: PlanInput): DatasetPlan {
  const judged = judgeReplica(source, target, input);
  if (isVerdict(judged)) return { ...plan, ...judged };
  const { common, note } = judged;
  const base = common?.base;
  const known: DatasetPlan = { ...plan, ...(base && { common: base }) };
  const next =
    target.resumeToken === undefined
      ? goesOn(source, known, input, { at: common?.at.name, suffix: note === undefined ? '' : `; ${note}` })
      : afterInterruption(source, target, known, input);
  const taken = judgeNames(source, target, next);
  return taken ? { ...plan, ...taken } : next;
}

function goesOn(
  source: Dataset,
  plan: DatasetPlan,
  input: PlanInput,
  { at, suffix }: { at: string | undefined; suffix: string },
): DatasetPlan {
  const sent = withStreams(source, plan, input, plan.common);
  if (sent.segments.length === 0)
    return { ...sent, kind: 'nothing', reason: `@${at} is the newest on both sides${suffix}` };
  return { ...sent, kind: 'incremental', reason: `${describeBase(plan.common)}${suffix}` };
}

/** A receive was interrupted: it is gone on with where that is possible, else what arrived of it is given up. */
function afterInterruption(
  source: Dataset,
  target: Dataset,
  plan: DatasetPlan,
  input: PlanInput,
): DatasetPlan {
  const judged = judgeToken(source, target, plan.raw, input);
  if ('unread' in judged) return waitForToken(source, plan, input, judged.unread);
  if ('abandon' in judged) {
    const sent = withStreams(source, plan, input, plan.common);
    const abandon = `partially received state is given up: ${judged.abandon}`;
    const kind = plan.common ? (sent.segments.length > 0 ? 'incremental' : 'nothing') : 'full';
    return { ...sent, kind, reason: abandon, abandon };
  }
  const { resume } = judged;
  const to = source.snapshots.find(({ guid }) => guid === resume.toGuid);
  const after: Base | undefined = to && { kind: 'snapshot', ...baseFacts(to) };
  const rest = withStreams(source, plan, input, after);
  return {
    ...rest,
    kind: 'resume',
    resume,
    behind: rest.behind + 1,
    holds: [resume.toName, ...rest.holds],
    reason: `@${resume.toName} was interrupted after ${resume.bytesDone} bytes`,
  };
}

/** Nothing is sent and nothing given up; whatever it may still need of the source stays held. */
function waitForToken(source: Dataset, plan: DatasetPlan, input: PlanInput, unread: string): DatasetPlan {
  return {
    ...plan,
    kind: 'wait',
    unread,
    reason: `what has arrived of a stream waits, because its token could not be read: ${unread}`,
    behind: wantedAfter(source, input.policy, plan.common).length,
    holds: source.snapshots.filter(({ holds }) => holds > 0).map(({ name }) => name),
  };
}

const baseFacts = ({ name, guid, createtxg, creationS }: Snapshot): Omit<Base, 'kind'> => ({
  name,
  guid,
  createtxg,
  creationS,
});

const describeBase = (base: Base | undefined): string =>
  base ? `from ${base.kind === 'bookmark' ? '#' : '@'}${base.name}` : 'from the beginning';

/** The streams from a base (none: from the beginning) to the newest wanted snapshot. */
function withStreams(
  source: Dataset,
  plan: DatasetPlan,
  input: PlanInput,
  base: Base | undefined,
): DatasetPlan {
  const wanted = wantedAfter(source, input.policy, base);
  const last = wanted.at(-1);
  if (!last) return plan;
  const thinned = thin(wanted, input.policy);
  const straight = input.policy.catchUp === 'newest' || thinned.length === 1;
  const segments = straight ? [segmentTo(source, base, last)] : segmentsFor(source, base, thinned);
  const sent = straight ? [last] : thinned;
  return {
    ...plan,
    segments,
    behind: wanted.length,
    holds: sent.map(({ name }) => name),
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** A replica without a source is kept: what vanished by mistake is what replicas are for. */
function planLeft(target: Dataset): DatasetPlan {
  const plan = { ...planned(target, target.name, false), source: '', guid: '' };
  if (isParked(target.name)) return { ...plan, kind: 'parked', reason: 'put aside by an earlier approval' };
  const partial = target.resumeToken === undefined ? '' : '; it holds partially received state';
  return { ...plan, kind: 'gone', reason: `the source is gone, the replica is kept${partial}` };
}
