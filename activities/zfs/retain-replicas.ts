import { HoldfastError } from '../../contracts/errors.js';
import type { ReplicaRetentionInput, ReplicationStepInput } from '../../contracts/replication.js';
import type { RetentionReport } from '../../contracts/zfs.js';
import { now } from '../../system/clock.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { learnBrought, readBrought, writeBrought } from './brought.js';
import { surveyInOrder } from './failover-guard.js';
import { openReplication, type Replication } from './replicate-job.js';
import { fitIntoPool } from './replicate-space.js';
import { type Survey, travels } from './replicate-survey.js';
import type { PlanInput } from './replicate-types.js';
import type { Verdict } from './retention.js';
import { carryOut } from './retention-carry-out.js';
import { judgePlan } from './retention-guard.js';
import { judgeReplicas, type ReplicaRules } from './retention-replica.js';
import type { Snapshot } from './types.js';

/** Retention of what a replication has brought to its target: look at both ends, judge, destroy what was judged, look again. */

/** Applies the job's `keep` to one resource in one store, or says why not. */
export async function retainReplicas(tools: Tools, input: ReplicaRetentionInput): Promise<RetentionReport> {
  // On the way back the target is the original: nothing there was ever ours to remove.
  if (input.back || input.sendBack)
    throw new HoldfastError('HF_NOT_IN_CONFIG', 'Retention is of replicas, never of what they are copies of');
  const replication = await openReplication(tools, input);
  const keeping = rulesOf(replication);
  if (!keeping) return { kept: 0, removed: 0, reasons: {}, everything: true, warnings: [] };
  tools.progress({ phase: 'choosing snapshots of the replicas' });
  const { ends, target } = replication;
  const seen = await surveyInOrder(tools, replication, input);
  const { leftOut } = await fitIntoPool(tools, replication, seen, seen.plans.filter(travels));
  const rules = { ...keeping, crowded: leftOut.length > 0 };
  const brought = learnBrought((await readBrought(tools.host, input)) ?? new Set(), seen.plans, seen.input);
  const byDataset = judgeReplicas(seen, brought, rules);
  const plan = {
    verdicts: byDataset.flat(),
    judged: judgePlan(byDataset, { nowS: rules.nowS }),
    of: `.${input.resource}.${input.store}`,
    digest: input.digest,
  };
  const report = await carryOut(tools, { zfs: target, list: () => ends.list('target') }, plan);
  const { run, job, resource, store } = input;
  const { kept, removed } = report;
  if (removed > 0)
    await addEvidence(tools.host, { kind: 'replicas-removed', run, job, resource, store, kept, removed });
  return report;
}

/** undefined for a job that keeps everything. */
function rulesOf({ job: { keep, objective, schedule } }: Replication): ReplicaRules | undefined {
  if (!keep) return undefined;
  const rpoS = objective.rpo === undefined ? undefined : objective.rpo / 1000;
  return { keep, rpoS, nowS: now().getTime() / 1000, timezone: schedule?.timezone ?? 'UTC' };
}

/**
 * After the last look of a run: writes down what has arrived, and says how many snapshots of the target no rule keeps. With nothing sent
 * there is nothing new to be written down.
 */
export async function rememberBrought(
  { host }: Tools,
  input: ReplicationStepInput,
  replication: Replication,
  seen: Survey,
  crowded: boolean,
): Promise<number> {
  // What went back is the original again: no retention of replicas may ever count it as its own.
  if (input.back || input.sendBack) return 0;
  const rules = rulesOf(replication);
  const known = await readBrought(host, input);
  if (known && input.round === 1 && !rules) return 0;
  const brought = learnBrought(known ?? new Set(), seen.plans, seen.input);
  if (!known || !isSame(known, brought)) await writeBrought(host, input, brought);
  if (!rules) return 0;
  return judgeReplicas({ ...seen, input: withoutOldFences(seen) }, brought, { ...rules, crowded })
    .flat()
    .filter(goes).length;
}

/** This look has put the fences where they belong; its listing is of before. */
function withoutOldFences({ input, upkeep }: Survey): PlanInput {
  const released = new Set(upkeep.target.release.map(({ snapshot }) => snapshot));
  if (released.size === 0) return input;
  const target = new Map(input.target);
  for (const name of new Set([...released].map((snapshot) => snapshot.split('@')[0] ?? ''))) {
    const dataset = target.get(name);
    const free = (one: Snapshot): Snapshot =>
      released.has(`${name}@${one.name}`) ? { ...one, holds: one.holds - 1 } : one;
    if (dataset) target.set(name, { ...dataset, snapshots: dataset.snapshots.map(free) });
  }
  return { ...input, target };
}

const goes = ({ reasons }: Verdict): boolean => reasons.length === 0;

const isSame = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((guid) => other.has(guid));
