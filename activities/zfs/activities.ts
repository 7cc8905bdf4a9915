import type { RestorePlan, RestoreReport, SourceStepInput } from '../../contracts/jobs.js';
import type { LeftoversPlan, LeftoversReport, LeftoversStepInput } from '../../contracts/leftovers.js';
import type {
  ParkingPlan,
  ParkingReport,
  ParkStepInput,
  ReliefReport,
  ReliefStepInput,
  ReplicaRetentionInput,
  ReplicationLook,
  ReplicationStepInput,
  RollBackPlan,
  RollBackReport,
  RollBackStepInput,
  TransferReport,
  TransferStepInput,
} from '../../contracts/replication.js';
import type {
  RetentionReport,
  RetentionStepInput,
  ScrubReport,
  ScrubStepInput,
  SnapshotReport,
  SnapshotStepInput,
} from '../../contracts/zfs.js';
import type { DatasetRestoreEnd, DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import type { Door } from '../door.js';
import { makeClones, planClone } from './clone.js';
import { planRestoreFiles, restoreFiles } from './files-restore.js';
import { datasetsOf, openFiles } from './files-source.js';
import { planLeftovers, releaseLeftovers } from './release-leftovers.js';
import { relieveWhileAway } from './relieve-source.js';
import { lookAtReplicas } from './replicate-look.js';
import { parkReplicas, planParking } from './replicate-park.js';
import { planRollBack, rollBackReplicas } from './replicate-rollback.js';
import { transferReplicas } from './replicate-transfer.js';
import { retainSnapshots } from './retain.js';
import { retainReplicas } from './retain-replicas.js';
import { planRollBackStep, rollBackStep, undoRollBackStep } from './roll-back-steps.js';
import { pauseOwnScrub, scrubPool } from './scrub.js';
import { planSendBack } from './send-back.js';
import { finishSendBack, reanchor } from './send-back-end.js';
import { takeSnapshots } from './snapshot.js';
import { closeSource, openSource } from './source.js';

/** One step for all datasets of a job on a host: a history stays small however many there are. */
export function createZfsActivities(door: Door) {
  return {
    zfsTakeSnapshots: (input: SnapshotStepInput): Promise<SnapshotReport[]> =>
      door.step(input, (tools) => takeSnapshots(tools, input)),
    zfsRetainSnapshots: (input: RetentionStepInput): Promise<RetentionReport> =>
      door.step(input, (tools) => retainSnapshots(tools, input)),
    /** Makes the snapshots of a dataset ready to be read by another tool, and lets them go again. */
    zfsOpenSource: async (input: SourceStepInput): Promise<{ snapshot: string; datasets: number }> =>
      door.step(input, async (tools) => {
        const { snapshot, datasets } = await openSource(tools, input);
        return { snapshot, datasets: datasets.length };
      }),
    zfsCloseSource: (input: SourceStepInput): Promise<{ closed: boolean }> =>
      door.step(input, (tools) => closeSource(tools, input)),
    zfsScrub: (input: ScrubStepInput): Promise<ScrubReport> =>
      door.step(input, (tools) => scrubPool(tools, input)),
    zfsPauseScrub: (input: ScrubStepInput): Promise<{ paused: boolean }> =>
      door.step(input, (tools) => pauseOwnScrub(tools, input)),
    /** One command on either host for a whole tree; with nothing to do, that is all. */
    zfsLookAtReplicas: (input: ReplicationStepInput): Promise<ReplicationLook> =>
      door.step(input, (tools) => lookAtReplicas(tools, input)),
    /** One group of streams, through one pipe. */
    zfsTransferReplicas: (input: TransferStepInput): Promise<TransferReport> =>
      door.step(input, (tools) => transferReplicas(tools, input)),
    zfsRelieveSource: (input: ReliefStepInput): Promise<ReliefReport> =>
      door.step(input, (tools) => relieveWhileAway(tools, input)),
    zfsRetainReplicas: (input: ReplicaRetentionInput): Promise<RetentionReport> =>
      door.step(input, (tools) => retainReplicas(tools, input)),
    /** The snapshots stay held and mounted until hostPutBack lets them go. */
    zfsOpenFiles: async (input: DatasetRestoreStepInput): Promise<{ snapshot: string; datasets: number }> =>
      door.step(input, async (tools) => {
        const plan = await openFiles(tools, input);
        return { snapshot: plan.snapshot, datasets: datasetsOf(plan).length };
      }),
    zfsPlanFiles: (input: DatasetRestoreStepInput): Promise<RestorePlan> =>
      door.step(input, (tools) => planRestoreFiles(tools, input)),
    zfsRestoreFiles: (input: DatasetRestoreStepInput): Promise<RestoreReport> =>
      door.step(input, (tools) => restoreFiles(tools, input)),
    zfsPlanClone: (input: DatasetRestoreStepInput): Promise<RestorePlan> =>
      door.step(input, (tools) => planClone(tools, input)),
    zfsMakeClones: (input: DatasetRestoreStepInput): Promise<RestoreReport> =>
      door.step(input, (tools) => makeClones(tools, input)),
    zfsPlanRestoreInPlace: (input: DatasetRestoreStepInput): Promise<RestorePlan> =>
      door.step(input, (tools) => planRollBackStep(tools, input)),
    zfsRestoreInPlace: (input: DatasetRestoreStepInput): Promise<RestoreReport> =>
      door.step(input, (tools) => rollBackStep(tools, input)),
    zfsUndoInPlace: (input: DatasetRestoreStepInput): Promise<RestoreReport> =>
      door.step(input, (tools) => undoRollBackStep(tools, input)),
    zfsPlanSendBack: (input: DatasetRestoreStepInput): Promise<RestorePlan> =>
      door.step(input, (tools) => planSendBack(tools, input)),
    zfsFinishSendBack: (input: DatasetRestoreStepInput): Promise<DatasetRestoreEnd> =>
      door.step(input, (tools) => finishSendBack(tools, input)),
    zfsReanchor: (input: DatasetRestoreStepInput): Promise<DatasetRestoreEnd> =>
      door.step(input, (tools) => reanchor(tools, input)),
    zfsPlanParking: (input: ParkStepInput): Promise<ParkingPlan> =>
      door.step(input, (tools) => planParking(tools, input)),
    zfsParkReplicas: (input: ParkStepInput): Promise<ParkingReport> =>
      door.step(input, (tools) => parkReplicas(tools, input)),
    zfsPlanRollBack: (input: RollBackStepInput): Promise<RollBackPlan> =>
      door.step(input, (tools) => planRollBack(tools, input)),
    zfsRollBackReplicas: (input: RollBackStepInput): Promise<RollBackReport> =>
      door.step(input, (tools) => rollBackReplicas(tools, input)),
    zfsPlanLeftovers: (input: LeftoversStepInput): Promise<LeftoversPlan> =>
      door.step(input, (tools) => planLeftovers(tools, input)),
    zfsReleaseLeftovers: (input: LeftoversStepInput): Promise<LeftoversReport> =>
      door.step(input, (tools) => releaseLeftovers(tools, input)),
  };
}

export type ZfsActivities = ReturnType<typeof createZfsActivities>;
