import type { Ends } from './replicate-ends.js';
import { type GroupRequest, groupsOf, transferGroup } from './replicate-group.js';
import {
  type Survey,
  type SurveyRequest,
  settle,
  survey,
  type Trouble,
  travels,
} from './replicate-survey.js';
import type { DatasetPlan } from './replicate-types.js';

/** How often one run looks again: new children wait for their parents, an interrupted stream is gone on with, and then it is enough. */
export const mostRounds = 5;

export interface RoundsEnd {
  last: Survey;
  /** Of the last round, by dataset. */
  troubles: Trouble[];
}

/** Which datasets go in this round: those that failed before without having come further are not tried again by this run. */
export function worthTrying(
  now: readonly DatasetPlan[],
  before: readonly DatasetPlan[] | undefined,
  failed: ReadonlySet<string>,
): DatasetPlan[] {
  const earlier = new Map(before?.map((plan) => [plan.target, plan]));
  return now.filter((plan) => {
    if (!travels(plan)) return false;
    const then = earlier.get(plan.target);
    if (!then || !failed.has(plan.target)) return true;
    return then.kind !== plan.kind || then.common?.guid !== plan.common?.guid || moved(then, plan);
  });
}

const moved = (then: DatasetPlan, now: DatasetPlan): boolean =>
  (now.resume?.bytesDone ?? 0) > (then.resume?.bytesDone ?? 0) || now.resume?.token !== then.resume?.token;

/** Tokens that an attempt of this run did not move: the partial state behind them is given up. */
export const tokensGivenUp = (
  before: readonly DatasetPlan[] | undefined,
  failed: ReadonlySet<string>,
): Set<string> =>
  new Set(
    (before ?? []).flatMap(({ target, resume }) => (resume && failed.has(target) ? [resume.token] : [])),
  );

/** The whole replication one after the other, as rescue and the tests do it; the workflow does the same with groups side by side. */
export async function replicate(
  ends: Ends,
  request: SurveyRequest,
  { destination, run, parallel }: GroupRequest & { parallel: number },
): Promise<RoundsEnd> {
  let before: readonly DatasetPlan[] | undefined;
  let failed = new Set<string>();
  const givenUp = new Set<string>(request.givenUp);
  for (let round = 1; ; round++) {
    for (const token of tokensGivenUp(before, failed)) givenUp.add(token);
    const now = await survey(ends, { ...request, givenUp });
    const troubles = await settle(ends, now);
    const due = worthTrying(now.plans, before, failed);
    if (due.length === 0 || round > mostRounds) return { last: now, troubles };
    failed = new Set();
    for (const group of groupsOf(due, parallel))
      for (const { target, trouble } of await transferGroup(ends, group, { destination, run }))
        if (trouble !== undefined) failed.add(target);
    before = now.plans;
  }
}
