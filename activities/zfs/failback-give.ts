import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverStepInput } from '../../contracts/failover.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { markUndone, openUndos, recordFormerState } from '../host/undo.js';
import { backStep } from './failback-look.js';
import { undoFailoverHooks } from './failover-hooks.js';
import { becomeReplica, settleNewcomers, standUpAndMount, takeAwayTraces } from './give-back.js';
import { openReplication, type Replication } from './replicate-job.js';
import { type Survey, survey } from './replicate-survey.js';
import { roleOf } from './role.js';

/**
 * Giving back has no way but forward: from its first command on the returned side may have been written to. What is cut in it stays in the
 * journal, and whoever puts back what ended runs have left goes on with it.
 */

const suffix = ':finish';
export const finishOf = (back: string): string => `${back}${suffix}`;
export const isFinish = (what: string): boolean => what.endsWith(suffix);

/** Before the first command. `back` is the undo that would make the replica writable again: it is closed, and never again open beside it. */
export async function beginGivingBack(
  { host, run }: Pick<Tools, 'host' | 'run'>,
  { job, resource, store, withHooks }: FailoverStepInput,
  { back, now, replication }: { back: string; now: Survey; replication: Pick<Replication, 'request'> },
): Promise<void> {
  const returned = now.input.target.get(replication.request.targetRoot);
  await recordFormerState(host, run, finishOf(back), {
    ...{ job, resource, store, guid: returned?.guid ?? '', standsBy: roleOf(returned)?.run ?? '' },
    ...(withHooks && { withHooks }),
  });
  await markUndone(host, run, back);
}

/** Each of its commands may be done twice. */
export async function giveBack(
  tools: Tools,
  input: FailoverStepInput,
  { back, now, replication }: { back: string; now: Survey; replication: Replication },
): Promise<string[]> {
  const { host, run } = tools;
  const { job, resource, store } = input;
  const { source, target, request } = replication;
  tools.progress({ phase: 'giving back' });
  await settleNewcomers(tools, replication, now);
  const warnings = await standUpAndMount(tools, target, request.targetRoot);
  warnings.push(...(await becomeReplica(tools, source, request.sourceRoot)));
  await takeAwayTraces(tools, replication);
  await addEvidence(host, { kind: 'failover', run, job, resource, store, what: 'brought-back' });
  if (input.withHooks) warnings.push(...(await started(tools, replication)));
  await markUndone(host, run, finishOf(back));
  return warnings;
}

/** The data is in use by now: a program that does not start is told, and takes nothing of it back. */
async function started(tools: Tools, { target, job }: Replication): Promise<string[]> {
  try {
    return await undoFailoverHooks(tools, target, job.failover.stop);
  } catch (error) {
    if (tools.signal.aborted || !(error instanceof HoldfastError)) throw error;
    return [error.message];
  }
}

/** For the journal, when a run ended in the middle of it. */
export async function giveBackLeft(
  tools: Tools,
  what: string,
  former: Record<string, unknown>,
): Promise<void> {
  const { host, run } = tools;
  const back = what.slice(0, -suffix.length);
  // Cut before its first command: the replica is put back as the one in use instead.
  if (await isOpen(host, run, back)) return;
  const [job, resource, store] = [String(former.job), String(former.resource), String(former.store)];
  const withHooks = former.withHooks === true && { withHooks: true as const };
  const input = { job, run, resource, store, retryForMs: 0, settings: {}, ...withHooks };
  const replication = await openReplication(tools, backStep(input));
  const now = await survey(replication.ends, replication.request);
  if (isStillLeft(now, replication, run, former)) await giveBack(tools, input, { back, now, replication });
}

const isOpen = async (host: Host, run: string, what: string): Promise<boolean> =>
  (await openUndos(host, run)).some((open) => open.what === what);

/** Unless a later failover has taken over one of the sides. */
function isStillLeft(
  { input }: Survey,
  { request, target }: Replication,
  run: string,
  former: Record<string, unknown>,
): boolean {
  const [replica, returned] = [input.source.get(request.sourceRoot), input.target.get(request.targetRoot)];
  if (returned?.guid !== former.guid)
    throw new HoldfastError(
      'HF_FAILOVER_REFUSED',
      `${request.targetRoot} on ${target.host.name} is not the dataset that ${run} has brought back: look at it. ${request.sourceRoot} has all that was brought back. Nothing was changed`.slice(
        0,
        590,
      ),
    );
  const [stopped, waiting] = [roleOf(replica), roleOf(returned)];
  if (stopped === undefined) return waiting === undefined;
  const isOurs = waiting === undefined || (waiting.kind === 'standby' && waiting.run === former.standsBy);
  return stopped.kind === 'standby' && stopped.run === run && isOurs;
}
