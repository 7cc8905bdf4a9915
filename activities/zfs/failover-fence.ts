import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverStepInput, FenceReport } from '../../contracts/failover.js';
import type { Tools } from '../door.js';
import { fenceReturned } from './failover-guard.js';
import { openFailover } from './failover-job.js';
import { listTrees } from './listing.js';
import { requestOf } from './replicate-job.js';
import { roleOf } from './role.js';
import type { Listing } from './types.js';

/**
 * A source that is known to be away is not waited for, and so would not be seen when it comes back before its day: one look each run,
 * from where its replica is. Only a replica that is in use makes it stand by.
 */
export async function fenceIfReturned(tools: Tools, input: FailoverStepInput): Promise<FenceReport> {
  const { source, target, sourceRoot, targetRoot, job, sides } = openFailover(tools, input);
  const replicas = await seen(() => listTrees(target, { roots: [targetRoot] }));
  const role = roleOf(replicas?.get(targetRoot));
  if (!replicas || role?.kind !== 'promoted') return {};
  const returned = await seen(() => listTrees(source, { roots: [sourceRoot] }));
  if (!returned) return {};
  const request = requestOf(tools.config, job, input);
  const both = { input: { ...request, source: returned, target: replicas } };
  const words = await fenceReturned(tools, { source, request }, input, both).catch((error: unknown) =>
    whyOpen(error, tools.signal),
  );
  if (words === '') return {};
  return {
    fenced: `${sourceRoot} on ${sides.sourceHost} answers while ${targetRoot} is the one in use since ${role.run}: two sides may have been written to.${words}`,
  };
}

/** It answered, and may be written to: that is told, whatever came in between. The next run tries it again. */
function whyOpen(error: unknown, { aborted }: AbortSignal): string {
  if (aborted || !(error instanceof HoldfastError)) throw error;
  return ` It could not be made readonly: ${error.message}`.slice(0, 300);
}

/** Away, or not there: what was expected. */
async function seen(look: () => Promise<Listing>): Promise<Listing | undefined> {
  try {
    return await look();
  } catch (error) {
    const isAway =
      error instanceof HoldfastError && ['HF_SSH_UNREACHABLE', 'HF_DATASET_MISSING'].includes(error.code);
    if (!isAway) throw error;
    return undefined;
  }
}
