import { replicaStoreOf, resourceOf } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverPlan, FailoverStepInput } from '../../contracts/failover.js';
import type { Tools } from '../door.js';
import {
  type Apart,
  broughtBackBefore,
  type FailbackFacts,
  type PlannedFailback,
  planFailback,
} from './failback-plan.js';
import { openReplication, type Replication } from './replicate-job.js';
import { readApproved, writeApproved } from './replicate-notebook.js';
import { type Survey, survey } from './replicate-survey.js';

/** What is seen of both sides before anything is brought back, and what a human was shown of it. */

export interface FailbackLook extends PlannedFailback {
  replication: Replication;
  now: Survey;
}

export const backStep = (input: FailoverStepInput) => ({ ...input, round: 0, back: true as const });

export async function lookForFailback(tools: Tools, input: FailoverStepInput): Promise<FailbackLook> {
  const { facts, ...look } = await seeBoth(tools, input);
  return { ...look, ...planFailback(facts) };
}

async function seeBoth(
  tools: Tools,
  input: FailoverStepInput,
): Promise<Pick<FailbackLook, 'replication' | 'now'> & { facts: FailbackFacts }> {
  const { config } = tools;
  const sides = {
    job: input.job,
    sourceHost: resourceOf(config, input.resource).host,
    targetHost: replicaStoreOf(config, input.store).host,
  };
  try {
    const replication = await openReplication(tools, backStep(input));
    tools.progress({ phase: 'looking at both sides' });
    const now = await survey(replication.ends, replication.request);
    const { run, resource, store } = input;
    const facts = {
      run,
      resource,
      store,
      sides,
      input: now.input,
      plans: now.plans,
      hooks: replication.job.failover,
    };
    return { replication, now, facts };
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_SSH_UNREACHABLE') throw error;
    // A question is no transfer: whoever asks wants to know now, not in six hours.
    throw new HoldfastError(
      'HF_FAILOVER_REFUSED',
      `Both sides must answer before anything is brought back: ${error.message}. Nothing was changed`.slice(
        0,
        590,
      ),
    );
  }
}

interface Shown {
  digest: string;
  apart: Apart[];
  /** Some of it may be done. */
  begun?: true;
}

export async function planFailbackStep(tools: Tools, input: FailoverStepInput): Promise<FailoverPlan> {
  const { facts } = await seeBoth(tools, input);
  const done = broughtBackBefore(facts);
  if (done) return done;
  const { plan, apart } = planFailback(facts);
  for (const line of plan.lines) tools.log(line);
  await writeApproved(tools.host, backStep(input), 'failback', {
    digest: plan.digest,
    apart,
  } satisfies Shown);
  return plan;
}

const notApproved = ({ run }: FailoverStepInput, why: string): HoldfastError =>
  new HoldfastError(
    'HF_NOT_APPROVED',
    `What was approved for ${run} ${why}. Nothing was changed; start it again and look at the new plan`.slice(
      0,
      300,
    ),
  );

/** Just what was shown, asked again right before acting; an attempt that goes on knows that it has changed some of it itself. */
export async function approvedFailback(tools: Tools, input: FailoverStepInput): Promise<Shown> {
  const shown = (await readApproved(tools.host, backStep(input), 'failback')) as Shown | undefined;
  if (shown === undefined || shown.digest !== input.digest)
    throw notApproved(input, 'is not the plan on this host');
  if (shown.begun) return shown;
  const { plan } = await lookForFailback(tools, input);
  if (plan.digest !== input.digest)
    throw notApproved(input, 'is not how things are now: one of the sides has changed');
  return shown;
}

export const markBegun = (tools: Tools, input: FailoverStepInput, shown: Shown): Promise<void> =>
  writeApproved(tools.host, backStep(input), 'failback', { ...shown, begun: true } satisfies Shown);
