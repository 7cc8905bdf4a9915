import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverPlan } from '../../contracts/failover.js';
import { parseRunId } from '../../contracts/names.js';
import { sha256 } from '../../system/sha256.js';
import { isBelow, parentOf } from './dataset-names.js';
import { donePlan } from './failover-plan.js';
import { volumeWords } from './failover-words.js';
import { newestCommon } from './replicate-base.js';
import { parkedName } from './replicate-names.js';
import type { DatasetPlan, PlanInput } from './replicate-types.js';
import { endsFailback, endsFailover, type Role, roleOf, type Sides } from './role.js';
import type { Dataset, Listing } from './types.js';

/** What the way back would do: what the returned side has that the replica does not is put aside first, and kept. Pure. */

export interface FailbackFacts {
  run: string;
  resource: string;
  store: string;
  sides: Sides;
  /** The other way round: its source is the replica, its target the side that returned. */
  input: PlanInput;
  plans: readonly DatasetPlan[];
  hooks: { stop: readonly string[]; start: readonly string[] };
}

/** One dataset of the returned side that went on by itself. */
export interface Apart {
  dataset: string;
  aside: string;
  /** The snapshot from which it goes on; absent where it is copied whole. */
  common?: string;
  /** What hangs below it, by its last name: it comes back to its place. */
  children: string[];
  /** What the yes is bound to. */
  state: string;
}

export interface PlannedFailback {
  plan: FailoverPlan;
  apart: Apart[];
  /** Who is in use now. */
  promoted: Role;
}

const refuse = (words: string): never => {
  throw new HoldfastError('HF_FAILOVER_REFUSED', `${words}. Nothing was changed`.slice(0, 590));
};

export function planFailback(facts: FailbackFacts): PlannedFailback {
  const promoted = judgeReplica(facts);
  const forbidden = facts.plans.find(({ kind }) => kind === 'encryption' || kind === 'type');
  if (forbidden)
    refuse(`${forbidden.source} cannot be brought back to ${forbidden.target}: ${forbidden.reason}`);
  const apart = apartOf(facts);
  const wanted = facts.plans.filter(({ source }) => source !== '');
  return {
    apart,
    promoted,
    plan: {
      digest: digestOf(facts, apart),
      source: 'answers',
      lines: explain(facts, apart)
        .slice(0, 60)
        .map((line) => line.slice(0, 240)),
      datasets: wanted.length,
      hooks: { stop: facts.hooks.start.length > 0, start: facts.hooks.stop.length > 0 },
    },
  };
}

/** Neither side knows of a failover: no work, but the job's other resources may be. */
export function broughtBackBefore({ input, sides }: FailbackFacts): FailoverPlan | undefined {
  const [replica, returned] = [input.source.get(input.sourceRoot), input.target.get(input.targetRoot)];
  if (!replica || !returned || roleOf(replica) || roleOf(returned)) return undefined;
  return donePlan(
    `${input.sourceRoot} on ${sides.targetHost} is not the one in use: there is nothing to bring back`,
  );
}

function judgeReplica({ input, sides, run, store }: FailbackFacts): Role {
  const root = input.source.get(input.sourceRoot);
  const role = roleOf(root);
  const inUse = role?.kind === 'promoted' || (role?.kind === 'standby' && role.run === run);
  if (!role || !inUse) return refuse(whyNotInUse({ input, sides, store }, role));
  const half = [...input.source.values()].find(({ readonly }) => readonly === 'on');
  if (half && role.kind === 'promoted')
    refuse(
      `${half.name} on ${sides.targetHost} is still readonly: the failover has not ended. Start "holdfast do ${sides.job} failover" again, it goes on`,
    );
  const returned = roleOf(input.target.get(input.targetRoot));
  if (returned?.kind === 'standby' && returned.store !== store)
    refuse(
      `${input.targetRoot} stands by because of the store "${returned.store}", since ${returned.run}: what is in use there would be left behind. Bring that back: "--set store=${returned.store}"`,
    );
  return role;
}

/** Where a run was cut between the two sides, neither is in use as a whole. */
function whyNotInUse(
  { input, sides, store }: Pick<FailbackFacts, 'input' | 'sides' | 'store'>,
  role: Role | undefined,
): string {
  const { sourceRoot, targetRoot } = input;
  const replica = `${sourceRoot} on ${sides.targetHost}`;
  if (role?.kind === 'standby')
    return `${replica} stands by since ${role.run}, which has not brought it back to the end: ${endsFailback(role.run, sides)}`;
  const returned = roleOf(input.target.get(targetRoot));
  if (role === undefined && returned?.kind === 'standby' && returned.store === store)
    return `${targetRoot} on ${sides.sourceHost} stands by since ${returned.run}, and ${replica} has not taken over: ${endsFailover(returned.run, sides)}`;
  return `${replica} is not the one in use: there is nothing to bring back`;
}

/** Where what is below goes with its parent, only the parent is named. */
function apartOf({ plans, input, run }: FailbackFacts): Apart[] {
  const time = new Date(parseRunId(run)?.time ?? 0);
  const apart: Apart[] = [];
  const stopped = plans
    .filter(({ kind, target }) => (kind === 'diverged' || kind === 'foreign') && input.target.has(target))
    .sort((one, other) => (one.target < other.target ? -1 : 1));
  for (const plan of stopped) {
    const goesAlong = apart.some(
      ({ dataset, common }) => common === undefined && isBelow(plan.target, dataset),
    );
    const returned = input.target.get(plan.target);
    if (!goesAlong && returned) apart.push(onePart(plan, returned, input, time));
  }
  return apart;
}

function onePart(plan: DatasetPlan, returned: Dataset, { source, target }: PlanInput, time: Date): Apart {
  const replica = source.get(plan.source);
  // What is in the way may be as old as what both have: then a clone of that would have it, too.
  const common = replica && plan.loses !== undefined ? newestCommon(replica, returned)?.at.name : undefined;
  return {
    dataset: returned.name,
    aside: parkedName(returned.name, time),
    ...(common !== undefined && { common }),
    children: common === undefined ? [] : childrenOf(returned.name, target),
    state: [plan.kind, returned.guid, returned.snapshots.at(-1)?.guid ?? '', returned.writtenBytes].join(' '),
  };
}

const childrenOf = (name: string, listing: Listing): string[] =>
  [...listing.keys()].filter((one) => parentOf(one) === name).map((one) => one.slice(name.length + 1));

const some = (list: readonly string[], most = 10): string =>
  list.length <= most ? list.join(', ') : `${list.slice(0, most).join(', ')} and ${list.length - most} more`;

function explain({ plans, input, sides, hooks, resource }: FailbackFacts, apart: readonly Apart[]): string[] {
  const of = (...kinds: string[]): DatasetPlan[] => plans.filter(({ kind }) => kinds.includes(kind));
  const whole = of('full');
  const gone = of('gone');
  const bytes = plans.reduce((sum, plan) => sum + plan.bytes, 0);
  const isThere = input.target.get(input.targetRoot);
  const excluded = leftBehind(plans);
  return [
    `${input.targetRoot} on ${sides.sourceHost} is brought up to date from ${input.sourceRoot} on ${sides.targetHost}, at most ${bytes} bytes so far, while that goes on to be used`,
    ...(isThere && roleOf(isThere)?.kind !== 'standby'
      ? [
          `${input.targetRoot} on ${sides.sourceHost} does not stand by yet: it is made readonly and unshared first`,
        ]
      : []),
    // With what is put aside, clients that have a volume open go on writing to it.
    ...volumeWords(input.target.values(), sides.sourceHost),
    ...apart.slice(0, 30).map((one) => apartWords(one, plans)),
    ...(apart.length > 30 ? [`… and ${apart.length - 30} more that are put aside in the same way`] : []),
    ...(whole.length > 0 ? [`Copied whole: ${some(whole.map(({ target }) => target))}`] : []),
    ...(excluded.length > 0
      ? [
          `Excluded in the configuration, NOT brought back: what was written to them stays on ${sides.targetHost}, readonly: ${some(excluded)}`,
        ]
      : []),
    ...(gone.length > 0
      ? [
          `No longer on ${sides.targetHost}, left on ${sides.sourceHost} as they are: ${some(gone.map(({ target }) => target))}`,
        ]
      : []),
    ...(hooks.start.length > 0
      ? [`Then, on ${sides.targetHost}: undo of ${[...hooks.start].reverse().join(', ')}`]
      : [
          `Stop what writes to ${input.sourceRoot} on ${sides.targetHost} before you say yes: no hook does it`,
        ]),
    ...volumeWords(input.source.values(), sides.targetHost),
    `${input.sourceRoot} is made readonly, its last state is sent, and ${input.targetRoot} becomes the one in use again, with its own mount points and shares`,
    ...(hooks.stop.length > 0
      ? [`Then, on ${sides.sourceHost}: undo of ${[...hooks.stop].reverse().join(', ')}`]
      : []),
    `Replication of "${resource}" then goes on as before. By hand: take away what was set up on ${sides.targetHost} for its clients (targets, extents, exports)`,
  ];
}

/** Datasets of the side in use that no stream carries. */
export const leftBehind = (plans: readonly DatasetPlan[]): string[] =>
  plans.flatMap(({ kind, source }) => (kind === 'excluded' && source !== '' ? [source] : []));

function apartWords({ dataset, aside, common }: Apart, plans: readonly DatasetPlan[]): string {
  const why = plans.find(({ target }) => target === dataset)?.reason ?? 'it went on by itself';
  const then = common === undefined ? 'and is copied whole' : `and goes on from @${common}`;
  return `${dataset}: ${why}. It is kept as ${aside} ${then}`;
}

function digestOf({ input, store }: FailbackFacts, apart: readonly Apart[]): string {
  const parts = {
    names: [input.sourceRoot, input.targetRoot, store],
    returned: input.target.get(input.targetRoot)?.guid,
    replica: [...input.source.values()].map(({ name, guid }) => `${name} ${guid}`),
    apart,
  };
  return sha256(JSON.stringify(parts));
}
