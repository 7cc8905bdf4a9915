import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverReport, FailoverStepInput } from '../../contracts/failover.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { readEvidence } from '../host/evidence.js';
import { beginGivingBack, giveBack } from './failback-give.js';
import { backStep } from './failback-look.js';
import { leftBehind } from './failback-plan.js';
import { lastPattern } from './failback-ready.js';
import { backOf } from './failback-stop.js';
import { sayingWhatEndsIt } from './failover-cut.js';
import { openFailover } from './failover-job.js';
import { openReplication, type Replication } from './replicate-job.js';
import { type Survey, survey } from './replicate-survey.js';
import { endsFailback, isReceivedFrom, roleOf } from './role.js';
import { snapshotName } from './snapshot-plan.js';

/** The end of a failback: the returned side is in use again, and the replica is one again. */

export async function finishFailback(tools: Tools, input: FailoverStepInput): Promise<FailoverReport> {
  const { host, run } = tools;
  const replication = await openReplication(tools, backStep(input));
  const now = await survey(replication.ends, replication.request);
  const back = backOf(input);
  if (!(await isBegun(host, run, back)) || isTaken(now, replication, run)) proveLast(now, replication, input);
  const { sides } = openFailover(tools, input);
  const warnings = await sayingWhatEndsIt(endsFailback(run, sides), async () => {
    // From here on the replica is never made writable again by an undo.
    await beginGivingBack(tools, input, { back, now, replication });
    return giveBack(tools, input, { back, now, replication });
  });
  return reportOf(now, replication, warnings);
}

function reportOf(now: Survey, { source, target, request }: Replication, found: string[]): FailoverReport {
  const excluded = leftBehind(now.plans);
  const warnings =
    excluded.length === 0
      ? found
      : [
          `${excluded.length} datasets are excluded and were not brought back, what was written to them is only on ${source.host.name}: ${excluded.join(', ')}`.slice(
            0,
            300,
          ),
          ...found,
        ];
  return {
    datasets: now.plans.filter(({ kind }) => kind === 'nothing').length,
    byHand: [],
    notes: [`${request.targetRoot} on ${target.host.name} is the one in use again`],
    warnings: warnings.slice(0, 20),
  };
}

/**
 * An earlier attempt was past the proof, says the journal, and nothing is asked any more: the returned side may still say that it stands by,
 * and have been written to.
 */
async function isBegun(host: Host, run: string, back: string): Promise<boolean> {
  const own = (await readEvidence(host)).filter(
    (entry) => (entry.kind === 'undo-open' || entry.kind === 'undo-done') && entry.run === run,
  );
  const says = (kind: string) =>
    own.some((entry) => entry.kind === kind && 'what' in entry && entry.what === back);
  return says('undo-open') && says('undo-done');
}

/** What the journal says is not enough: an undo closes it as well, with the replica in use. */
function isTaken({ input }: Survey, { request }: Replication, run: string): boolean {
  const [replica, returned] = [input.source.get(request.sourceRoot), input.target.get(request.targetRoot)];
  const stopped = roleOf(replica);
  if (!returned) return true;
  if (stopped) return stopped.kind !== 'standby' || stopped.run !== run;
  return roleOf(returned) !== undefined || isReceivedFrom({ source: returned, target: replica });
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
