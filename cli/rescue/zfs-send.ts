import type { Tools } from '../../activities/door.js';
import { addEvidence } from '../../activities/host/evidence.js';
import { rootOf } from '../../activities/zfs/listing.js';
import { lookAtReplicas } from '../../activities/zfs/replicate-look.js';
import { transferReplicas } from '../../activities/zfs/replicate-transfer.js';
import { backInput, planSendBack } from '../../activities/zfs/send-back.js';
import { finishSendBack } from '../../activities/zfs/send-back-end.js';
import { savedOn } from '../../activities/zfs/sharing.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { RestorePlan } from '../../contracts/jobs.js';
import { datasetForm } from '../../contracts/names.js';
import type { ReplicationLook } from '../../contracts/replication.js';
import type { DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import type { Context } from '../context.js';
import { approve, tell } from './approve.js';
import { rescueStore } from './open.js';
import type { ZfsRescue, ZfsWords } from './zfs-open.js';
import { meantReplica } from './zfs-replicas.js';
import { refused, stepOf } from './zfs-restore.js';

/** `rescue zfs send`: a whole replica, with all its snapshots, to a dataset that is new or has an older state of it. */
export async function sendReplica(context: Context, rescue: ZfsRescue, words: ZfsWords): Promise<number> {
  const target = targetOf(words);
  const meant = await meantReplica(rescue, words);
  await refuseInsideReplica(rescue, target);
  const saved = await savedOn(rescue.zfs.host, meant.resource);
  // Where nobody has written down what it is a copy of, what is typed counts as that.
  const original = saved?.source?.dataset ?? target;
  const { tools, run } = await rescue.open({ works: rescue.receiver, target, original, ...meant });
  const step = stepOf(words, meant, { run, how: 'send-back', target });
  const planned = (): Promise<RestorePlan> => planSendBack(tools, step).then(inOwnWords, ofRescue);
  const plan = await planned();
  await approve(context, plan, words.yes);
  if ((await planned()).digest !== plan.digest)
    throw new HoldfastError(
      'HF_NOT_APPROVED',
      `What would be done to ${plan.target} is no longer what was approved. Nothing was changed; look at the new plan`,
    );
  const look = await sendUntilProved(tools, step);
  requireWhole(look, plan);
  const { notes, warnings } = await finishSendBack(tools, step).catch(ofRescue);
  const datasets = look.proved?.datasets ?? 0;
  const report = {
    snapshot: plan.snapshot,
    restorePoint: look.proved?.restorePoint ?? plan.restorePoint,
    target: plan.target,
    files: datasets,
    bytes: plan.bytes,
    verified: [
      `the newest snapshot of ${datasets} datasets is there with the guid that it has in the replica`,
    ],
    notVerified: [],
    warnings: [...look.warnings, ...warnings],
  };
  await addEvidence(rescue.here, { kind: 'restore', run, store: rescueStore, digest: plan.digest, report });
  return tell(context, run, report, [`${datasets} datasets are back in ${plan.target}`, ...notes].join('\n'));
}

function targetOf({ to, copy, at, paths }: ZfsWords): string {
  if (copy !== undefined || at !== undefined || paths.length > 0)
    throw new HoldfastError(
      'HF_USAGE',
      'A replica is sent whole, with all its snapshots: without --path, --copy and --at',
    );
  if (to !== undefined && datasetForm.test(to) && to.includes('/')) return to;
  throw new HoldfastError(
    'HF_USAGE',
    'Say which dataset it becomes: --to DATASET, for example --to fast/kubernetes; with --to-ssh on another machine',
  );
}

/** Nobody marks a base here: replication finds by guid what both sides have. */
const inOwnWords = (plan: RestorePlan): RestorePlan => ({
  ...plan,
  steps: [
    ...(plan.steps ?? []).filter((line) => !line.startsWith('then ')),
    'then       a job that replicates it goes on from the newest snapshot that both sides have',
  ],
});

/** What a refusal of the workflow advises needs a server, or is typed otherwise here. */
function ofRescue(error: unknown): never {
  if (!(error instanceof HoldfastError)) throw error;
  const { code, message, details } = error;
  if (code === 'HF_TARGET_NOT_EMPTY')
    throw new HoldfastError(code, message.replace('--to HOST:', '--to '), details);
  if (code !== 'HF_FAILED_OVER') throw error;
  throw new HoldfastError(code, message.replace(/ Use "holdfast do .*$/s, ''), {
    ...details,
    next: 'It is not sent to its own place: "restore" and "clone" read it. With a server, "holdfast do JOB failback" brings everything back',
  });
}

/** A dataset that appears inside of a replica is in the way of its replication, and may be read as a part of it. */
async function refuseInsideReplica({ zfs, receiver }: ZfsRescue, target: string): Promise<void> {
  const above = target.slice(0, target.lastIndexOf('/'));
  const there = await rootOf({ ...zfs, host: receiver }, above).catch((error: unknown) => {
    if (error instanceof HoldfastError && error.code === 'HF_DATASET_MISSING') return undefined;
    throw error;
  });
  if (there?.replicaOf === undefined) return;
  throw refused(target, `${above} is a part of a replica`, 'sent');
}

/** As the workflow does it, one after the other: the last look, which finds nothing more to send, is the proof. */
async function sendUntilProved(tools: Tools, step: DatasetRestoreStepInput): Promise<ReplicationLook> {
  for (let round = 1; ; round++) {
    const input = backInput(step, round);
    const look = await lookAtReplicas(tools, input);
    if (look.groups === 0) return look;
    for (let group = 0; group < look.groups; group++) await transferReplicas(tools, { ...input, group });
  }
}

/** What did not arrive is said before anything half restored becomes an ordinary dataset. */
function requireWhole(
  { stopped, behind, stoppedCount, behindCount, proved }: ReplicationLook,
  plan: RestorePlan,
): void {
  if (stoppedCount === 0 && behindCount === 0 && (proved?.datasets ?? 0) > 0) return;
  const words = `${plan.target}: ${stoppedCount + behindCount} datasets are not back, ${proved?.datasets ?? 0} are proved. ${[...stopped, ...behind].join('; ')}`;
  throw new HoldfastError('HF_RESTORE_UNFINISHED', words.slice(0, 600));
}
