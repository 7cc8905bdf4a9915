import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverReport, FailoverStepInput } from '../../contracts/failover.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { markUndone, openUndos, recordFormerState } from '../host/undo.js';
import { sayingWhatEndsIt } from './failover-cut.js';
import type { Promotion } from './failover-facts.js';
import { runFailoverHooks } from './failover-hooks.js';
import { openFailover } from './failover-job.js';
import { type FailoverLook, lookForFailover } from './failover-look.js';
import { judgeOthers, promotionOf } from './failover-plan.js';
import { checkApproved, cutFormer, lastSnapshotPattern, takeOverOf, whatOf } from './failover-stop.js';
import { handSteps } from './failover-words.js';
import { endsFailover, roleOf } from './role.js';
import { ownPlaces } from './sharing.js';
import { snapshotName } from './snapshot-plan.js';
import { takeOver } from './take-over.js';
import type { Dataset } from './types.js';

/** The second half of a failover: the replica becomes the one in use. From its first command on there is no way back but a failback. */

export async function promoteReplica(tools: Tools, input: FailoverStepInput): Promise<FailoverReport> {
  const { host, run } = tools;
  const { job, resource, store } = input;
  const { target, targetRoot, sides, job: config } = openFailover(tools, input);
  const { facts, promotion } = await checkedAgain(tools, input);
  await beginTakingOver(tools, input);
  tools.progress({ phase: 'taking over' });
  const role = { kind: 'promoted', run, store } as const;
  const propertiesOf = (name: string) =>
    ownPlaces(facts.saved, `${facts.sourceRoot}${name.slice(targetRoot.length)}`);
  const { warnings, notes } = await sayingWhatEndsIt(endsFailover(run, sides), () =>
    takeOver(tools, target, { root: targetRoot, role, promotion, propertiesOf }),
  );
  await markUndone(host, run, takeOverOf(input));
  await addEvidence(host, { kind: 'failover', run, job, resource, store, what: 'promoted' });
  if (input.withHooks) warnings.push(...(await started(tools, target, config.failover.start)));
  return {
    datasets: promotion.live.length,
    byHand: handSteps(facts, promotion)
      .slice(0, 40)
      .map((line) => line.slice(0, 240)),
    notes,
    warnings,
  };
}

/**
 * Before the replica is touched: whatever happens from here on, this run never makes the source writable again, because a command of an
 * attempt that was given up may still arrive over there. Only when it is over, and none has, the journal puts the source back.
 */
async function beginTakingOver({ host, run }: Tools, input: FailoverStepInput): Promise<void> {
  const stop = whatOf(input);
  const [open] = (await openUndos(host, run)).filter(({ what }) => what === stop);
  if (open) await recordFormerState(host, run, takeOverOf(input), cutFormer(open.former));
  await markUndone(host, run, stop);
}

/** The data is in use by now: a program that does not start is told, and takes nothing of it back. */
async function started(
  tools: Tools,
  target: FailoverLook['failover']['target'],
  names: readonly string[],
): Promise<string[]> {
  try {
    await runFailoverHooks(tools, target, names);
    return [];
  } catch (error) {
    if (tools.signal.aborted || !(error instanceof HoldfastError)) throw error;
    return [error.message];
  }
}

/** Right before it is done. An attempt that was cut after its first command goes on, whatever is seen now. */
async function checkedAgain(
  tools: Tools,
  input: FailoverStepInput,
): Promise<Pick<FailoverLook, 'facts'> & { promotion: Promotion }> {
  const look = await lookForFailover(tools, input);
  const { facts } = look;
  const own = roleOf(facts.target.get(facts.targetRoot));
  const promotion = promotionOf(facts);
  if (own?.kind === 'promoted' && own.run === input.run) return { facts, promotion };
  if (input.source !== 'answers' || own?.kind === 'promoted') return checkApproved(tools, input);
  judgeOthers(facts);
  proveLast(facts, promotion, input);
  return { facts, promotion };
}

/** Nothing may be left behind: the source stands by for this run, and its last snapshot is the newest of every replica. */
function proveLast(
  { source, sourceRoot, plans = [] }: FailoverLook['facts'],
  { live }: Promotion,
  { run, job }: FailoverStepInput,
): void {
  const name = snapshotName(lastSnapshotPattern, job, run);
  const behind = live.find(({ snapshots }) => snapshots.at(-1)?.name !== name);
  if (behind)
    throw refused(
      `The last snapshot ${name} is not the newest of ${behind.name}: it was not brought up to date`,
    );
  // It may have died since: what it had was sent, and it stands by wherever it comes up.
  if (source.state !== 'answers') return;
  const role = roleOf(source.listing.get(sourceRoot));
  if (role?.kind !== 'standby' || role.run !== run)
    throw refused(`${sourceRoot} does not stand by for this run`);
  const open = plans.find(({ kind }) => !['nothing', 'gone', 'parked', 'excluded'].includes(kind));
  if (open) throw refused(`${open.source} is not on the replica as it is: ${open.reason}`);
  const changed = plans.find(
    (plan) => plan.kind === 'nothing' && hasNewer(source.listing.get(plan.source), name),
  );
  if (changed) throw refused(`${changed.source} has changed since its last snapshot ${name}`);
}

const hasNewer = (dataset: Dataset | undefined, name: string): boolean =>
  dataset === undefined || dataset.snapshots.at(-1)?.name !== name || dataset.writtenBytes > 0;

const refused = (words: string): HoldfastError =>
  new HoldfastError('HF_FAILOVER_REFUSED', `${words}. The replica was not touched`.slice(0, 590));
