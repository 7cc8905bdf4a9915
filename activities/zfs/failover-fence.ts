import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverStepInput, FenceReport } from '../../contracts/failover.js';
import type { Tools } from '../door.js';
import { fenceReturned } from './failover-guard.js';
import { openFailover } from './failover-job.js';
import { listTrees, rootOf } from './listing.js';
import { requestOf } from './replicate-job.js';
import { isReceivedFrom, roleOf } from './role.js';
import { standsBy } from './stand-by.js';

/** A source that comes back while its replica is in use is made to stand by, from where the replica is. */

/** Only a replica that is in use makes it stand by. `open`: it answers, and could not be made readonly. */
export type Returned =
  | { state: 'not in use' | 'away' | 'stands by' | 'receives' }
  | { state: 'fenced' | 'open'; words: string };

/** A source that is known to be away is not waited for, and so would not be seen when it comes back before its day: one look each run. */
export async function fenceIfReturned(tools: Tools, input: FailoverStepInput): Promise<FenceReport> {
  const seen = await lookForReturned(tools, input);
  return 'words' in seen ? { fenced: seen.words } : {};
}

export async function lookForReturned(tools: Tools, input: FailoverStepInput): Promise<Returned> {
  const { source, target, sourceRoot, targetRoot, job, sides } = openFailover(tools, input);
  // One dataset of each first: this is asked again and again, and there may be thousands.
  const replica = await ifThere(() => rootOf(target, targetRoot));
  if (!replica) return { state: 'away' };
  if (roleOf(replica)?.kind !== 'promoted') return { state: 'not in use' };
  const root = await ifThere(() => rootOf(source, sourceRoot));
  if (!root) return { state: 'away' };
  if (isReceivedFrom({ source: root, target: replica })) return { state: 'receives' };
  const returned = await ifThere(() => listTrees(source, { roots: [sourceRoot] }));
  if (!returned) return { state: 'away' };
  if (standsBy(sourceRoot, returned)) return { state: 'stands by' };
  // Last of all: a failback may have ended while the source was looked at, and then that is in use again.
  const replicas = await listTrees(target, { roots: [targetRoot] });
  const role = roleOf(replicas.get(targetRoot));
  if (role?.kind !== 'promoted') return { state: 'not in use' };
  const request = requestOf(tools.config, job, input);
  const both = { input: { ...request, source: returned, target: replicas } };
  const answers = `${sourceRoot} on ${sides.sourceHost} answers while ${targetRoot} is the one in use since ${role.run}: two sides may have been written to.`;
  try {
    const done = await fenceReturned(tools, { source, request }, input, both);
    return { state: 'fenced', words: `${answers}${done}` };
  } catch (error) {
    return { state: 'open', words: `${answers}${whyOpen(error, tools.signal)}` };
  }
}

/** It answered, and may be written to: that is told, whatever came in between. The next look tries it again. */
function whyOpen(error: unknown, { aborted }: AbortSignal): string {
  if (aborted || !(error instanceof HoldfastError)) throw error;
  return ` It could not be made readonly: ${error.message}`.slice(0, 300);
}

/** Away, or not there: what was expected. */
async function ifThere<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const isAway =
      error instanceof HoldfastError && ['HF_SSH_UNREACHABLE', 'HF_DATASET_MISSING'].includes(error.code);
    if (!isAway) throw error;
    return undefined;
  }
}
