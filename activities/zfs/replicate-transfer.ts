import { HoldfastError } from '../../contracts/errors.js';
import type { TransferReport, TransferStepInput } from '../../contracts/replication.js';
import type { Tools } from '../door.js';
import { surveyInOrder } from './failover-guard.js';
import { type GroupEnd, marksOf, transferGroup, writeAhead } from './replicate-group.js';
import { openReplication, type Replication } from './replicate-job.js';
import {
  type NotArrived,
  type RoundNotes,
  readGroupTroubles,
  readRound,
  writeTroubles,
} from './replicate-notebook.js';
import { type Tries, tokensGivenUp } from './replicate-rounds.js';
import { travels } from './replicate-survey.js';
import type { DatasetPlan } from './replicate-types.js';

/** Sends one group of the round. An attempt after the first looks again: what arrived is never sent twice, what was cut is gone on with. */
export async function transferReplicas(tools: Tools, input: TransferStepInput): Promise<TransferReport> {
  const replication = await openReplication(tools, input);
  const notes = await readRound(tools.host, input, input.round);
  const targets = new Set(notes?.groups[input.group] ?? []);
  const isFirst = tools.attempt === 1;
  const isPrepared = isFirst && notes?.isPrepared === true;
  const plans = isFirst
    ? (notes?.plans ?? [])
    : await planAnew(tools, replication, input, new Map(notes?.tries));
  const meant = plans.filter(({ target }) => targets.has(target));
  const troubles = isFirst
    ? new Map<string, NotArrived>()
    : leftAlone(meant, await readGroupTroubles(tools.host, input));
  const due = meant.filter((plan) => travels(plan) && !troubles.has(plan.target));
  const unprepared = await prepare(replication, due, { run: input.run, isPrepared });
  for (const [target, words] of unprepared) troubles.set(target, { words });
  const prepared = due.filter(({ target }) => !troubles.has(target));
  let bytes = 0;
  replication.counter.alreadyBytes = arrivedBytes(notes, targets, meant.filter(travels));
  tools.progress({ phase: 'sending', bytesDone: replication.counter.alreadyBytes });
  const ends = prepared.length === 0 ? [] : await transferGroup(replication.ends, prepared);
  for (const [index, { target, trouble, isBusy }] of ends.entries()) {
    if (trouble === undefined) bytes += prepared[index]?.bytes ?? 0;
    else troubles.set(target, { words: trouble, ...(isBusy && { isBusy }) });
  }
  for (const [target, { words }] of troubles) tools.log(`${target}: ${words}`);
  await writeTroubles(tools.host, input, troubles);
  waitWhileBusy(tools, ends);
  return {
    datasets: ends.filter(({ trouble }) => trouble === undefined).length,
    bytes,
    troubles: [...troubles].slice(0, 10).map(([target, { words }]) => `${target}: ${words}`.slice(0, 300)),
  };
}

/** What an earlier attempt has failed with, and what only a look can put in order, is left to the next look; what was busy is tried again. */
const leftAlone = (
  plans: readonly DatasetPlan[],
  earlier: ReadonlyMap<string, NotArrived>,
): Map<string, NotArrived> =>
  new Map(
    plans.flatMap(({ target, abandon }) => {
      const known = earlier.get(target);
      if (known && !known.isBusy) return [[target, known]];
      return abandon === undefined ? [] : [[target, { words: abandon }]];
    }),
  );

/** The other receive ends by itself: the step is tried again until then, as long as an outage is waited for; then the run goes on without. */
function waitWhileBusy({ mayWait = () => false }: Tools, ends: readonly GroupEnd[]): void {
  const busy = ends.find(({ isBusy }) => isBusy);
  if (busy === undefined || !mayWait()) return;
  throw new HoldfastError('HF_REPLICA_BUSY', `${busy.target}: ${busy.trouble}`.slice(0, 300));
}

async function planAnew(
  tools: Tools,
  replication: Replication,
  input: TransferStepInput,
  tries: Tries,
): Promise<DatasetPlan[]> {
  const request = { ...replication.request, givenUp: tokensGivenUp(tries) };
  return (await surveyInOrder(tools, replication, input, request)).plans;
}

/** As a rule the look has done it for all groups at once; a plan that was made anew asks for more. */
const prepare = async (
  { ends, request }: Replication,
  due: readonly DatasetPlan[],
  { run, isPrepared }: { run: string; isPrepared: boolean },
): Promise<Map<string, string>> =>
  isPrepared ? new Map() : writeAhead(ends, due, { ...marksOf(request.policy), run });

/** What of the group has arrived before this attempt: only what goes beyond it is progress. */
function arrivedBytes(
  notes: RoundNotes | undefined,
  targets: ReadonlySet<string>,
  due: readonly DatasetPlan[],
): number {
  const open = new Set(due.map(({ target }) => target));
  const whole = (notes?.plans ?? []).filter(({ target }) => targets.has(target) && !open.has(target));
  const half = due.map(({ resume }) => resume?.bytesDone ?? 0);
  return [...whole.map(({ bytes }) => bytes), ...half].reduce((sum, bytes) => sum + bytes, 0);
}
