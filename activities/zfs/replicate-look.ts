import type { ReplicationLook, ReplicationStepInput } from '../../contracts/replication.js';
import { isoNow } from '../../system/clock.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { surveyInOrder } from './failover-guard.js';
import { selectionOf } from './job.js';
import { poolOf } from './pool-room.js';
import { failureWithRelief, reliefWhileBehind } from './relieve-source.js';
import { actorNotes, setBacks } from './replicate-actors.js';
import { knownBefore, triedBefore } from './replicate-before.js';
import { withExactSizes } from './replicate-estimate.js';
import { aheadOf, groupsOf, marksOf } from './replicate-group.js';
import { openReplication, type Replication } from './replicate-job.js';
import { proofOf, replicaStates } from './replicate-lag.js';
import { forgetOldRuns, readRound, writeRound } from './replicate-notebook.js';
import {
  driftOf,
  forgottenTokens,
  keyNote,
  keyPlaces,
  nothingMeant,
  stopping,
  strangersIn,
} from './replicate-proof.js';
import { mostRounds, neverRead, tokensGivenUp, unreadOnceMore, worthTrying } from './replicate-rounds.js';
import { fitIntoPool } from './replicate-space.js';
import { writeReplicaStates } from './replicate-states.js';
import { type Survey, settle, type Trouble } from './replicate-survey.js';
import type { DatasetPlan } from './replicate-types.js';
import { rememberBrought } from './retain-replicas.js';
import { saveSharing } from './sharing.js';

/** One look at both ends: what is proved, what is put in order, and which streams are due. */
export async function lookAtReplicas(tools: Tools, input: ReplicationStepInput): Promise<ReplicationLook> {
  const { host } = tools;
  const replication = await openReplication(tools, input);
  const { ends, request, job } = replication;
  tools.progress({ phase: 'looking at both ends' });
  const before = await readRound(host, input, input.round - 1);
  const { tries, failed } = await triedBefore(host, input, before);
  if (input.round === 1) await forgetOldRuns(host, input);
  const known = await knownBefore(tools, input, before);
  const sent = before && { plans: before.plans, run: input.run };
  const givenUp = new Set([...tokensGivenUp(tries), ...neverRead(known.unread)]);
  const now = await surveyInOrder(tools, replication, input, { ...request, givenUp }, sent).catch(
    async (error: unknown) => {
      throw await failureWithRelief(tools, replication, input, error);
    },
  );
  const remarks = known.remarks ?? setBacks(now.input, known.states);
  const worth = input.round > mostRounds ? [] : worthTrying(now.plans, tries);
  const due = await withExactSizes(ends, worth);
  const exact = new Map(due.map((plan) => [plan.target, plan]));
  const { fits, leftOut, availableBytes } = await fitIntoPool(tools, replication, now, due);
  const wanted = groupsOf(fits, job.parallel);
  const marks = { ...marksOf(request.policy), run: input.run };
  tools.progress({ phase: 'cursors, holds and fences' });
  const isLast = wanted.length === 0;
  // Neither needs the other: while one host holds and releases, the other is asked.
  const [{ troubles, unprepared }, saved] = await Promise.all([
    settle(ends, now, aheadOf(wanted.flat(), marks)),
    isLast ? saveShared(replication, input, now) : undefined,
  ]);
  const groups = wanted
    .map((group) => group.filter(({ target }) => !unprepared.has(target)))
    .filter((group) => group.length > 0);
  await writeRound(host, input, {
    plans: now.plans.map((plan) => exact.get(plan.target) ?? plan),
    groups: groups.map((group) => group.map(({ target }) => target)),
    tries: [...tries],
    isPrepared: true,
    unprepared: [...unprepared],
    remarks,
    failed: [...failed],
    unread: known.unread,
  });
  for (const { kind, target, reason } of now.plans)
    if (kind !== 'nothing') tools.log(`${kind} ${target}: ${reason}`);
  for (const { target, words } of troubles) tools.log(`${target}: ${words}`);
  const look = describeLook(now, troubles, new Map([...failed, ...unprepared]), {
    leftOut,
    availableBytes,
    remarks,
  });
  if (groups.length > 0) return { ...look, groups: groups.length, bytes: bytesOf(fits) };
  // What is brought back is no copy: it proves nothing about the replica, and its target is no replica.
  if (input.back) return { ...look, warnings: [], groups: 0, bytes: 0 };
  const unmeant = input.sendBack
    ? []
    : nothingMeant(now.input.source, selectionOf(tools.config, input.resource));
  const unsaved = saved ?? (await saveShared(replication, input, now));
  const keys = await missingKeys(replication.target.host, now, input.round);
  const warnings = [...unmeant, ...look.warnings, ...keys, ...unsaved.slice(0, 5)];
  const prunable = await rememberBrought(tools, input, replication, now, leftOut.length > 0);
  const proved = await prove(tools, input, now, known.unread);
  const relieved = await reliefWhileBehind(tools, replication, input, { now, ...look });
  const behind = [...relieved, ...look.behind];
  return { ...look, behind, warnings, groups: 0, bytes: 0, proved, ...(prunable > 0 && { prunable }) };
}

/** What its machine shares is no part of a replica: it is written down beside it. A source that was made anew has nothing to say of the old one. */
async function saveShared(
  { source, target, request }: Replication,
  { resource, round, back, sendBack }: ReplicationStepInput,
  now: Survey,
): Promise<string[]> {
  if (back || sendBack) return [];
  const { sourceRoot } = request;
  const strangers = strangersIn(now);
  if (strangers.includes(sourceRoot)) return [];
  return saveSharing(
    { source, sourceRoot, resource, target: target.host, strangers },
    now.input.source,
    round > 1,
  );
}

/** Only after something was sent: a look that finds nothing to do costs its two commands and no more. */
async function missingKeys(target: Host, { plans, input }: Survey, round: number): Promise<string[]> {
  const warnings: string[] = [];
  if (round === 1) return warnings;
  for (const [path, [name]] of [...keyPlaces(plans, input).files].slice(0, 5))
    if (!(await target.exists(path)))
      warnings.push(`${name}: its keylocation is ${path}, which is not on "${target.name}"`.slice(0, 300));
  return warnings;
}

const bytesOf = (plans: readonly DatasetPlan[]): number => plans.reduce((sum, { bytes }) => sum + bytes, 0);

/** The list first: the line of the evidence speaks of one that is there. */
async function prove(
  { host }: Tools,
  step: ReplicationStepInput,
  { plans, input }: Survey,
  unreadBefore: [string, number][],
) {
  const states = replicaStates(plans, input);
  const proved = proofOf(states);
  const { run, job, resource, store, sendBack } = step;
  // The way back says nothing of how current a replica is.
  if (sendBack) {
    await addEvidence(host, { kind: 'sent-back', run, job, resource, store, ...sendBack, ...proved });
    return proved;
  }
  const unread = unreadOnceMore(plans, input, unreadBefore);
  await writeReplicaStates(
    host,
    { resource, store },
    { run, at: isoNow(), digest: proved.digest, states, ...(unread.length > 0 && { unread }) },
  );
  await addEvidence(host, { kind: 'replicas', run, job, resource, store, ...proved });
  return proved;
}

const shown = 10;
const notInReplica = 'it is not in the replica and stays as it is';

interface Found {
  leftOut: readonly DatasetPlan[];
  availableBytes: number;
  /** What others did since the last run. */
  remarks: readonly string[];
}

/** What the workflow hears of a look: counts and a few words, however many datasets there are, because its history keeps it. */
export function describeLook(
  { plans, input }: Survey,
  troubles: readonly Trouble[],
  failed: ReadonlyMap<string, string>,
  { leftOut, availableBytes, remarks }: Found,
): Omit<ReplicationLook, 'groups' | 'bytes'> {
  const counts: Record<string, number> = {};
  for (const { kind } of plans) counts[kind] = (counts[kind] ?? 0) + 1;
  const stopped = plans.filter(({ kind }) => stopping.has(kind));
  const tooLarge = new Set(leftOut.map(({ target }) => target));
  const behind = plans.filter(
    ({ kind, source }) => source !== '' && ['full', 'incremental', 'resume', 'wait'].includes(kind),
  );
  const why = ({ target, reason, bytes, unread }: DatasetPlan): string => {
    if (unread !== undefined) return reason;
    if (tooLarge.has(target))
      return `it does not fit above the floor of ${poolOf(target)} on the target: up to ${bytes} bytes more, and ${availableBytes} are free. Free some space there`;
    return failed.get(target) ?? reason;
  };
  const isBack = input.policy.marks === 'none';
  const gone = plans.filter(({ kind }) => kind === 'gone');
  const young = counts.young ?? 0;
  const renamed = plans.filter(({ renameFrom }) => renameFrom !== undefined);
  return {
    counts,
    stopped: stopped.slice(0, shown).map(({ target, reason }) => `${target}: ${reason}`.slice(0, 300)),
    stoppedCount: stopped.length,
    behind: behind.slice(0, shown).map((plan) => `${plan.target}: ${why(plan)}`.slice(0, 300)),
    behindCount: behind.length,
    notes: [
      ...gone.slice(0, 3).map(({ target, reason }) => `${target}: ${isBack ? notInReplica : reason}`),
      ...(gone.length > 3 ? [`… and ${gone.length - 3} more of these`] : []),
      ...(young > 0 ? [`${young} made after the newest snapshot: with the next one`] : []),
      ...renamed.slice(0, 3).map(({ renameFrom, target }) => `${renameFrom} is called ${target} now`),
      ...keyNote(keyPlaces(plans, input).prompts),
      ...actorNotes(input, plans).slice(0, 3),
    ],
    warnings: [
      ...remarks.slice(0, 5),
      ...troubles.slice(0, 5).map(({ target, words }) => `${target}: ${words}`.slice(0, 300)),
      ...(isBack ? [] : driftOf(plans, input).slice(0, 5)),
      ...(isBack ? [] : forgottenTokens(plans, input).slice(0, 5)),
    ],
  };
}
