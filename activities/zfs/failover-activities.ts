import type {
  FailoverPlan,
  FailoverReport,
  FailoverStepInput,
  FenceReport,
  ReadySide,
  StoppedSide,
  WatchReport,
  WatchStepInput,
} from '../../contracts/failover.js';
import type { Door } from '../door.js';
import { finishFailback } from './failback-finish.js';
import { planFailbackStep } from './failback-look.js';
import { readyReturned } from './failback-ready.js';
import { resumeReplica, stopReplica } from './failback-stop.js';
import { fenceIfReturned } from './failover-fence.js';
import { promoteReplica } from './failover-promote.js';
import { planFailoverStep, putSourceBack, stopSource } from './failover-stop.js';
import { watchReturned } from './failover-watch.js';

/** All of them run on the host of the replica: the other side may be gone. */
export function createFailoverActivities(door: Door) {
  return {
    zfsFenceReturned: (input: FailoverStepInput): Promise<FenceReport> =>
      door.step(input, (tools) => fenceIfReturned(tools, input)),
    zfsWatchReturned: (input: WatchStepInput): Promise<WatchReport> =>
      door.step(input, (tools) => watchReturned(tools, input)),
    zfsPlanFailover: (input: FailoverStepInput): Promise<FailoverPlan> =>
      door.step(input, (tools) => planFailoverStep(tools, input)),
    zfsStopSource: (input: FailoverStepInput): Promise<StoppedSide> =>
      door.step(input, (tools) => stopSource(tools, input)),
    zfsPutSourceBack: (input: FailoverStepInput): Promise<{ putBack: boolean }> =>
      door.step(input, (tools) => putSourceBack(tools, input)),
    zfsPromoteReplica: (input: FailoverStepInput): Promise<FailoverReport> =>
      door.step(input, (tools) => promoteReplica(tools, input)),
    zfsPlanFailback: (input: FailoverStepInput): Promise<FailoverPlan> =>
      door.step(input, (tools) => planFailbackStep(tools, input)),
    zfsReadyReturned: (input: FailoverStepInput): Promise<ReadySide> =>
      door.step(input, (tools) => readyReturned(tools, input)),
    zfsStopReplica: (input: FailoverStepInput): Promise<StoppedSide> =>
      door.step(input, (tools) => stopReplica(tools, input)),
    zfsResumeReplica: (input: FailoverStepInput): Promise<{ resumed: boolean }> =>
      door.step(input, (tools) => resumeReplica(tools, input)),
    zfsFinishFailback: (input: FailoverStepInput): Promise<FailoverReport> =>
      door.step(input, (tools) => finishFailback(tools, input)),
  };
}
