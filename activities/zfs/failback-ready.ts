import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverStepInput, ReadySide } from '../../contracts/failover.js';
import type { Tools } from '../door.js';
import { approvedFailback, backStep, lookForFailback, markBegun } from './failback-look.js';
import { holdCommon } from './failover-guard.js';
import { putApart } from './put-apart.js';
import { openReplication, type Replication } from './replicate-job.js';
import { roleOf } from './role.js';
import { ensureSnapshots } from './snapshot.js';
import { roleToStandBy, standBy, standsBy } from './stand-by.js';

/** Makes the returned side ready to receive: nobody writes to it, and what it has of its own lies aside, kept. */

export async function readyReturned(tools: Tools, input: FailoverStepInput): Promise<ReadySide> {
  const shown = await approvedFailback(tools, input);
  if (!shown.begun) await standStill(tools, input);
  await markBegun(tools, input, shown);
  // Half of it may be done: where it goes is asked, not whether.
  const replication = await openReplication(tools, backStep(input));
  for (const one of shown.apart) {
    tools.progress({ phase: `putting ${one.dataset} aside` });
    await putApart(tools, replication.target, one);
  }
  await snapshotReplica(tools, input, replication, firstPattern);
  return { apart: shown.apart.slice(0, 20).map(({ aside }) => aside), count: shown.apart.length };
}

export const firstPattern = 'holdfast_failback_{time}';
export const lastPattern = 'holdfast_failback_{time}_last';

/** Written to until this very moment, it may have more than was shown: then it is shown anew. */
async function standStill(tools: Tools, input: FailoverStepInput): Promise<void> {
  const { replication, now, promoted } = await lookForFailback(tools, input);
  const { target, request } = replication;
  const root = now.input.target.get(request.targetRoot);
  if (!root) return;
  const swapped = {
    input: { ...now.input, source: now.input.target, target: now.input.source },
    request: { sourceRoot: request.targetRoot, targetRoot: request.sourceRoot },
  };
  await holdCommon(tools, target, swapped);
  if (!standsBy(root.name, now.input.target)) {
    const role = roleToStandBy(roleOf(root), promoted.run, input.store);
    await standBy(target, request.targetRoot, role, tools.log);
  }
  const { plan } = await lookForFailback(tools, input);
  if (plan.digest === input.digest) return;
  throw new HoldfastError(
    'HF_NOT_APPROVED',
    `${request.targetRoot} was written to until it was made readonly just now, so it has more than what was approved. Start the failback again: the new plan names it`.slice(
      0,
      300,
    ),
  );
}

/** Of the side in use, all datasets in one moment. */
export async function snapshotReplica(
  tools: Tools,
  { job, run, resource }: FailoverStepInput,
  { source, request }: Replication,
  pattern: string,
): Promise<string> {
  const selection = { resource, dataset: request.sourceRoot, recursive: true, include: [], exclude: [] };
  const wanted = { job, run, pattern, resources: [selection] };
  return (await ensureSnapshots(tools, source, wanted, { mayStandBy: true })).name;
}
