import { parseRunId } from '../../contracts/names.js';
import type { ParkingPlan, ParkingReport, ParkStepInput } from '../../contracts/replication.js';
import type { Tools } from '../door.js';
import { isBelow } from './dataset-names.js';
import { surveyInOrder } from './failover-guard.js';
import { approvedPlan, keepForAnswer } from './replicate-approved.js';
import type { Ends } from './replicate-ends.js';
import { openReplication } from './replicate-job.js';
import { parkedName } from './replicate-names.js';
import { stopping } from './replicate-proof.js';
import type { Survey } from './replicate-survey.js';
import type { DatasetPlan } from './replicate-types.js';

/** Parking: a replica that cannot be continued is renamed aside, whole and with its snapshots, and its dataset is copied anew. */

/** One replica that a human is asked about, and the state that the answer is bound to. */
interface Parked {
  target: string;
  aside: string;
  state: string;
  words: string;
}

/** Nothing is destroyed by it, but it costs a full copy and the space of the old one: so it is asked for. */
export async function planParking(tools: Tools, input: ParkStepInput): Promise<ParkingPlan> {
  const replication = await openReplication(tools, input);
  tools.progress({ phase: 'looking at both ends' });
  const wanted = parkedOf(await surveyInOrder(tools, replication, input), input.run);
  for (const { words } of wanted) tools.log(`would park ${words}`);
  const digest = await keepForAnswer(tools.host, input, 'parking', wanted);
  return { digest, count: wanted.length, lines: wanted.slice(0, 10).map(({ words }) => words.slice(0, 300)) };
}

/** Just what was approved; a replica that changed since is left where it is. */
export async function parkReplicas(tools: Tools, input: ParkStepInput): Promise<ParkingReport> {
  const approved = await approvedPlan<Parked>(tools.host, input, 'parking');
  const replication = await openReplication(tools, input);
  const { ends } = replication;
  const now = await surveyInOrder(tools, replication, input);
  const states = new Map(parkedOf(now, input.run).map(({ target, state }) => [target, state]));
  const parked: string[] = [];
  const warnings: string[] = [];
  for (const one of approved) {
    // An earlier attempt may have done it.
    const trouble = now.input.target.has(one.aside)
      ? undefined
      : await parkOne(ends, one, states.get(one.target));
    tools.log(`rename ${one.target} to ${one.aside}: ${trouble ?? 'done'}`);
    if (trouble === undefined) parked.push(one.aside);
    else warnings.push(trouble.slice(0, 300));
  }
  return { parked: parked.length, names: parked.slice(0, 10), warnings: warnings.slice(0, 10) };
}

async function parkOne(
  ends: Ends,
  { target, aside, state }: Parked,
  stateNow: string | undefined,
): Promise<string | undefined> {
  if (stateNow !== state) return `${target} has changed since it was shown: left alone`;
  const [done] = await ends.change('target', [['rename', target, aside]]);
  return done?.ok ? undefined : `${target} cannot be renamed: ${done?.words ?? 'not begun'}`;
}

function parkedOf({ plans, input }: Survey, run: string): Parked[] {
  const time = new Date(parseRunId(run)?.time ?? 0);
  const stopped = plans.filter(({ kind, target }) => stopping.has(kind) && input.target.has(target));
  // What lies below a parked one goes with it, and comes back by its guids when its parent is there again.
  const highest = stopped.filter(({ target }) => !stopped.some((other) => isBelow(target, other.target)));
  return highest.map((plan) => onePlan(plan, input, time));
}

function onePlan(
  { target, kind, reason }: DatasetPlan,
  { target: listing }: Survey['input'],
  time: Date,
): Parked {
  const dataset = listing.get(target);
  const newest = dataset?.snapshots.at(-1)?.guid ?? '';
  const aside = parkedName(target, time);
  const below = [...listing.keys()].filter((name) => isBelow(name, target)).length;
  const along =
    below === 0
      ? ''
      : `; ${below} datasets below go along, and come back when it is there again if they are in order`;
  return {
    target,
    aside,
    state: [kind, dataset?.guid, newest, dataset?.writtenBytes].join(' '),
    words: `${target} → ${aside} (${kind}: ${reason})${along}`,
  };
}
