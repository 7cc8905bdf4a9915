import { HoldfastError } from '../../contracts/errors.js';
import type { ReplicationStepInput } from '../../contracts/replication.js';
import type { Host } from '../../system/host.js';
import { sha256 } from '../../system/sha256.js';
import { readApproved, writeApproved } from './replicate-notebook.js';

/** What a human is asked about replicas lies on the host; the yes is bound to it by its digest. Parking, rolling back and letting go are one story. */

type ByHand = 'parking' | 'roll-back' | 'leftovers';

const digestOf = (plan: readonly unknown[]): string => sha256(JSON.stringify(plan));

/** Keeps what is shown; the digest is what a yes must name. */
export async function keepForAnswer(
  host: Host,
  input: ReplicationStepInput,
  what: ByHand,
  plan: readonly unknown[],
): Promise<string> {
  await writeApproved(host, input, what, plan);
  return digestOf(plan);
}

/** Just what was approved; anything else is refused before a pool is touched. */
export async function approvedPlan<T>(
  host: Host,
  input: ReplicationStepInput & { digest?: string },
  what: ByHand,
): Promise<T[]> {
  const approved = ((await readApproved(host, input, what)) ?? []) as T[];
  if (input.digest !== undefined && digestOf(approved) === input.digest) return approved;
  throw new HoldfastError(
    'HF_NOT_APPROVED',
    `What was approved for ${input.run} is not the plan on this host. Nothing was changed; start it again`,
  );
}
