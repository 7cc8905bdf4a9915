import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverReport, FailoverStepInput } from '../../contracts/failover.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { markUndone } from '../host/undo.js';
import { backStep } from './failback-look.js';
import { leftBehind } from './failback-plan.js';
import { lastPattern } from './failback-ready.js';
import { backOf } from './failback-stop.js';
import { undoFailoverHooks } from './failover-hooks.js';
import { becomeReplica, settleNewcomers, standUpAndMount, takeAwayTraces } from './give-back.js';
import { openReplication, type Replication } from './replicate-job.js';
import { type Survey, survey } from './replicate-survey.js';
import { isReceivedFrom, roleOf } from './role.js';
import { snapshotName } from './snapshot-plan.js';

/** The end of a failback: the returned side is in use again, and the replica is one again. */

export async function finishFailback(tools: Tools, input: FailoverStepInput): Promise<FailoverReport> {
  const { host, run } = tools;
  const { job, resource, store } = input;
  const replication = await openReplication(tools, backStep(input));
  const now = await survey(replication.ends, replication.request);
  const { target, request } = replication;
  if (!isCommitted(now, replication, run)) proveLast(now, replication, input);
  // From here on the replica is never made writable again by an undo.
  await markUndone(host, run, backOf(input));
  tools.progress({ phase: 'giving back' });
  await settleNewcomers(tools, replication, now);
  const warnings = await standUpAndMount(tools, target, request.targetRoot);
  warnings.push(...(await becomeReplica(tools, replication.source, request.sourceRoot)));
  const excluded = leftBehind(now.plans);
  if (excluded.length > 0)
    warnings.unshift(
      `${excluded.length} datasets are excluded and were not brought back, what was written to them is only on ${replication.source.host.name}: ${excluded.join(', ')}`.slice(
        0,
        300,
      ),
    );
  await takeAwayTraces(tools, replication);
  await addEvidence(host, { kind: 'failover', run, job, resource, store, what: 'brought-back' });
  if (input.withHooks) warnings.push(...(await started(tools, replication)));
  return {
    datasets: now.plans.filter(({ kind }) => kind === 'nothing').length,
    byHand: [],
    notes: [`${request.targetRoot} on ${target.host.name} is the one in use again`],
    warnings: warnings.slice(0, 20),
  };
}

/** An earlier attempt has made the returned side writable: nothing is asked any more. */
function isCommitted({ input }: Survey, { request }: Replication, run: string): boolean {
  const [replica, returned] = [input.source.get(request.sourceRoot), input.target.get(request.targetRoot)];
  const stopped = roleOf(replica);
  if (!returned || (stopped && !(stopped.kind === 'standby' && stopped.run === run))) return false;
  return roleOf(returned) === undefined && !isReceivedFrom({ source: returned, target: replica });
}

/** Everything that the replica had last must be there, and both sides must stand still. */
function proveLast(
  { input, plans }: Survey,
  { request }: Replication,
  { run, job }: FailoverStepInput,
): void {
  const name = snapshotName(lastPattern, job, run);
  const [replica, returned] = [input.source.get(request.sourceRoot), input.target.get(request.targetRoot)];
  const stopped = roleOf(replica);
  if (stopped?.kind !== 'standby' || stopped.run !== run)
    throw refused(`${request.sourceRoot} does not stand by for this run`);
  if (roleOf(returned)?.kind !== 'standby' && !isReceivedFrom({ source: returned, target: replica }))
    throw refused(`${request.targetRoot} does not stand by`);
  const own = plans.filter(({ source, kind }) => source !== '' && kind !== 'excluded');
  const open = own.find(({ kind, common }) => kind !== 'nothing' || common?.name !== name);
  if (open)
    throw refused(`${open.source} is not on ${open.target} as it was last (@${name}): ${open.reason}`);
  const changed = own.find(({ source }) => (input.source.get(source)?.writtenBytes ?? 1) > 0);
  if (changed) throw refused(`${changed.source} has changed since its last snapshot @${name}`);
}

const refused = (words: string): HoldfastError =>
  new HoldfastError('HF_FAILOVER_REFUSED', `${words}. Nothing was given back`.slice(0, 590));

async function started(tools: Tools, { target, job }: Replication): Promise<string[]> {
  try {
    return await undoFailoverHooks(tools, target, job.failover.stop);
  } catch (error) {
    if (tools.signal.aborted || !(error instanceof HoldfastError)) throw error;
    return [error.message];
  }
}
