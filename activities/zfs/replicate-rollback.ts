import type { RollBackPlan, RollBackReport, RollBackStepInput } from '../../contracts/replication.js';
import type { Tools } from '../door.js';
import { destroySnapshots } from './destroy.js';
import { surveyInOrder } from './failover-guard.js';
import { approvedPlan, keepForAnswer } from './replicate-approved.js';
import { newestCommon } from './replicate-base.js';
import type { Done, Ends } from './replicate-ends.js';
import { openReplication } from './replicate-job.js';
import { replicaOf } from './replicate-moves.js';
import { type Destroy, type Doomed, rollBack } from './replicate-rollback-steps.js';
import { type Survey, type SurveyRequest, survey } from './replicate-survey.js';
import type { DatasetPlan } from './replicate-types.js';
import type { Dataset, Snapshot } from './types.js';

/** Rolling back: a replica that others wrote to goes back to the newest snapshot that its source knows. What came after it is lost for ever. */

/** So many fit into one question, each with all that it loses. */
const mostAtOnce = 10;

/** Of what cannot be rolled back it is said why; nothing is changed. */
export async function planRollBack(tools: Tools, input: RollBackStepInput): Promise<RollBackPlan> {
  const replication = await openReplication(tools, input);
  tools.progress({ phase: 'looking at both ends' });
  const found = doomedOf(await surveyInOrder(tools, replication, input), input.dataset);
  // The yes is to what was shown: what does not fit into a question is asked by the next one.
  const doomed = found.doomed.slice(0, mostAtOnce);
  const left = found.doomed.slice(mostAtOnce);
  const refused = [
    ...found.refused,
    ...(left.length > 0 ? [`${left.length} more can be rolled back: run it again after these`] : []),
  ];
  for (const { words } of doomed) tools.log(`would roll back ${words}`);
  for (const words of refused) tools.log(`cannot be rolled back: ${words}`);
  const digest = await keepForAnswer(tools.host, input, 'roll-back', doomed);
  return {
    digest,
    count: doomed.length,
    lines: doomed.map(({ words }) => words),
    refused: refused.slice(0, 10).map((words) => words.slice(0, 300)),
  };
}

/** Just what was approved, and only where everything is still as it was shown. */
export async function rollBackReplicas(tools: Tools, input: RollBackStepInput): Promise<RollBackReport> {
  const approved = await approvedPlan<Doomed>(tools.host, input, 'roll-back');
  const replication = await openReplication(tools, input);
  // A replica that is in use has more than its source: nothing of that is ever rolled back.
  await surveyInOrder(tools, replication, input);
  const { ends, request } = replication;
  const destroy: Destroy = (gone) => destroySnapshots(tools, replication.target, gone);
  const { done, warnings } = await rollBackApproved(ends, request, approved, destroy);
  for (const name of done) tools.log(`rolled back to ${name}`);
  for (const words of warnings) tools.log(words);
  return {
    rolledBack: done.length,
    names: done.slice(0, 10),
    warnings: warnings.slice(0, 10).map((words) => words.slice(0, 300)),
  };
}

/** Looks again right before; what comes to the same state afterwards counts, whatever zfs said. */
export async function rollBackApproved(
  ends: Ends,
  request: SurveyRequest,
  approved: readonly Doomed[],
  destroy: Destroy,
): Promise<{ done: string[]; warnings: string[] }> {
  const now = await survey(ends, request);
  const states = new Map(doomedOf(now).doomed.map((one) => [one.target, one]));
  const same = approved.filter((one) => isNoMore(states.get(one.target), one));
  // An earlier attempt may have done it.
  const done = approved.filter((one) => isBack(one, now.input.target.get(one.target)));
  const warnings = approved
    .filter((one) => !same.includes(one) && !done.includes(one))
    .map(({ target }) => `${target} has changed since it was shown: left alone`);
  const left = same.flatMap(({ target }) => states.get(target) ?? []);
  const ended = await rollBack(ends, left, now, destroy);
  const after = same.length === 0 ? now : await survey(ends, request);
  for (const [index, one] of same.entries()) {
    if (isBack(one, after.input.target.get(one.target))) done.push(one);
    else warnings.push(`${one.target} is not rolled back: ${wordsOf(ended[index])}`);
  }
  return { done: done.map(({ target, base }) => `${target}@${base.name}`), warnings };
}

const wordsOf = (end: Done | undefined): string =>
  end?.ok ? 'zfs said nothing, and it is not at its base' : (end?.words ?? 'not begun');

const isBack = ({ guid, base }: Doomed, dataset: Dataset | undefined): boolean =>
  dataset?.guid === guid && dataset.snapshots.at(-1)?.guid === base.guid && dataset.writtenBytes === 0;

/** What can go back to a base, and why the rest cannot. */
export function doomedOf({ plans, input }: Survey, only?: string): { doomed: Doomed[]; refused: string[] } {
  const doomed: Doomed[] = [];
  const refused: string[] = [];
  const wanted = plans.filter(
    ({ kind, source, target }) =>
      kind === 'diverged' && (only === undefined || [source, target].includes(only)),
  );
  for (const plan of wanted) {
    const [source, target] = [input.source.get(plan.source), replicaOf(input.target, plan)];
    const common = source && target && newestCommon(source, target);
    if (!common || !target) refused.push(`${plan.target}: ${plan.reason}: there is nothing to roll back to`);
    // Stopped by a snapshot that is no newer than the base: it would still be there afterwards.
    else if (plan.loses === undefined)
      refused.push(`${target.name}: a roll-back does not help: ${plan.reason}`);
    else if (target.resumeToken !== undefined)
      refused.push(`${target.name}: it holds partially received state: "zfs receive -A" gives it up first`);
    else {
      const clone = cloneOf(target.name, common.newer, input.target.values());
      if (clone) refused.push(`${target.name}: ${clone} is a clone of what would be destroyed`);
      else doomed.push(doomedBy(plan, target, common));
    }
  }
  return { doomed, refused };
}

const cloneOf = (name: string, newer: readonly Snapshot[], all: Iterable<Dataset>): string | undefined => {
  const lost = new Set(newer.map((snapshot) => `${name}@${snapshot.name}`));
  return [...all].find(({ origin }) => origin !== undefined && lost.has(origin))?.name;
};

function doomedBy(
  { reason }: DatasetPlan,
  target: Dataset,
  { at, newer }: { at: Snapshot; newer: readonly Snapshot[] },
): Doomed {
  const loses = newer.map(({ name, guid, writtenBytes }) => ({ name, guid, writtenBytes }));
  const bookmarks = target.bookmarks.flatMap(({ name, createtxg }) =>
    createtxg > at.createtxg ? [name] : [],
  );
  const inSnapshots = loses.reduce((sum, { writtenBytes }) => sum + writtenBytes, 0);
  const names = loses.slice(-5).map(({ name }) => `@${name}`);
  const more = loses.length > 5 ? ` and ${loses.length - 5} older ones` : '';
  const lost = [
    ...(loses.length > 0 ? [`${names.join(', ')}${more} with ${inSnapshots} bytes`] : []),
    ...(bookmarks.length > 0 ? [`the bookmarks #${bookmarks.slice(-3).join(', #')}`] : []),
    ...(target.writtenBytes > 0 ? [`${target.writtenBytes} bytes written since`] : []),
  ];
  return {
    target: target.name,
    guid: target.guid,
    base: { name: at.name, guid: at.guid },
    loses,
    bookmarks,
    writtenBytes: target.writtenBytes,
    words: `${target.name} to @${at.name}: lost are ${lost.join(' and ')} (${reason})`,
  };
}

const lostBytes = ({ loses, writtenBytes }: Doomed): number =>
  loses.reduce((sum, one) => sum + one.writtenBytes, writtenBytes);

/** As it was shown, or less: an attempt that was cut has done some of it, and what a snapshot held is then told of the next one. */
function isNoMore(now: Doomed | undefined, shown: Doomed): boolean {
  if (now === undefined) return false;
  if (stateOf(now) === stateOf(shown)) return true;
  const guids = new Set(shown.loses.map(({ guid }) => guid));
  return (
    now.guid === shown.guid &&
    now.base.guid === shown.base.guid &&
    now.loses.length + now.bookmarks.length < shown.loses.length + shown.bookmarks.length &&
    now.loses.every(({ guid }) => guids.has(guid)) &&
    now.bookmarks.every((name) => shown.bookmarks.includes(name)) &&
    lostBytes(now) <= lostBytes(shown)
  );
}

const stateOf = ({ words, ...state }: Doomed): string => JSON.stringify(state);
