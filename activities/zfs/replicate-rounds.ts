import type { Ends } from './replicate-ends.js';
import { aheadOf, type GroupRequest, groupsOf, transferGroup } from './replicate-group.js';
import type { Sent } from './replicate-known-holds.js';
import { replicaOf } from './replicate-moves.js';
import { endedForRoom } from './replicate-room.js';
import {
  type Survey,
  type SurveyRequest,
  settle,
  survey,
  type Trouble,
  travels,
} from './replicate-survey.js';
import type { DatasetPlan, PlanInput } from './replicate-types.js';

/** How often one run looks again: a large new tree takes one round for each level, and each try that failed one more. */
export const mostRounds = 50;

/** A stream that fails so often in one run, each time without having come further, is left to the next run. */
const mostTries = 2;
/** So often a half received stream is gone on with before what has arrived of it is given up. */
const mostResumes = 3;

/** How often streams failed in this run, by what they were to do: whoever comes further begins to count anew. */
export type Tries = ReadonlyMap<string, number>;

const keyOf = ({ target, kind, common, resume }: DatasetPlan): string =>
  resume ? `token ${resume.token}` : `${target} ${kind} ${common?.guid ?? ''}`;

/** Where another receive was waited for in vain, or the pool was short: no try of the stream, but left to the next run as well. */
const busyKey = ({ target }: DatasetPlan): string => `busy ${target}`;

/** After a round: one more for each dataset of it that failed. */
export function countTries(
  tries: Tries,
  plans: readonly DatasetPlan[] | undefined,
  failed: ReadonlySet<string>,
  busy: ReadonlySet<string>,
): Map<string, number> {
  const counted = new Map(tries);
  for (const plan of plans ?? []) {
    if (!failed.has(plan.target)) continue;
    const key = busy.has(plan.target) ? busyKey(plan) : keyOf(plan);
    counted.set(key, (counted.get(key) ?? 0) + 1);
  }
  return counted;
}

/** Which datasets go in this round. */
export const worthTrying = (plans: readonly DatasetPlan[], tries: Tries): DatasetPlan[] =>
  plans.filter(
    (plan) =>
      travels(plan) &&
      !tries.has(busyKey(plan)) &&
      (tries.get(keyOf(plan)) ?? 0) < (plan.resume ? mostResumes : mostTries),
  );

/** Tokens that were tried often enough and did not move: the partial state behind them is given up. */
export const tokensGivenUp = (tries: Tries): Set<string> =>
  new Set(
    [...tries].flatMap(([key, count]) =>
      key.startsWith('token ') && count >= mostResumes ? [key.slice('token '.length)] : [],
    ),
  );

/** In so many runs in a row a token could not be read, each of which has failed and said so: then what has arrived is given up. */
const mostUnread = 10;

/** How many runs in a row could not read a token, by the token. */
export type Unread = readonly (readonly [string, number])[];

export const neverRead = (unread: Unread): string[] =>
  unread.flatMap(([token, runs]) => (runs >= mostUnread ? [token] : []));

/** At the end of a run: a token that was read, or is another one by now, begins anew. */
export const unreadOnceMore = (
  plans: readonly DatasetPlan[],
  { target }: PlanInput,
  before: Unread,
): [string, number][] =>
  plans.flatMap((plan) => {
    const token = plan.unread === undefined ? undefined : replicaOf(target, plan)?.resumeToken;
    if (token === undefined) return [];
    return [[token, (new Map(before).get(token) ?? 0) + 1]];
  });

export interface RoundsEnd {
  last: Survey;
  /** Of the last round, by dataset. */
  troubles: Trouble[];
}

/** The whole replication one after the other, as rescue and the tests do it; the workflow does the same with groups side by side. */
export async function replicate(
  ends: Ends,
  request: SurveyRequest,
  { destination, run, parallel }: GroupRequest & { parallel: number },
): Promise<RoundsEnd> {
  const { marks } = request.policy;
  let tries: Tries = new Map();
  let sent: Sent | undefined;
  for (let round = 1; ; round++) {
    const now = await survey(ends, { ...request, givenUp: tokensGivenUp(tries) }, sent);
    const due = round > mostRounds ? [] : worthTrying(now.plans, tries);
    const groups = groupsOf(due, parallel);
    const { troubles, unprepared } = await settle(
      ends,
      now,
      aheadOf(groups.flat(), { destination, run, marks }),
    );
    if (due.length === 0) return { last: now, troubles };
    const failed = new Set(unprepared.keys());
    const busy = await sendGroups(ends, groups, failed);
    tries = countTries(tries, now.plans, failed, busy);
    sent = { plans: groups.flat(), run };
  }
}

/** What does not arrive is added to `failed`; handed back is what was busy, or had no room. */
async function sendGroups(
  ends: Ends,
  groups: readonly DatasetPlan[][],
  failed: Set<string>,
): Promise<Set<string>> {
  const busy = new Set<string>();
  for (const group of groups) {
    const prepared = group.filter(({ target }) => !failed.has(target));
    for (const { target, trouble, isBusy } of await transferGroup(ends, prepared)) {
      if (trouble !== undefined) failed.add(target);
      if (isBusy || endedForRoom(new Map([[target, trouble ?? '']])).size > 0) busy.add(target);
    }
  }
  return busy;
}
