import type {
  RetentionReport,
  RetentionStepInput,
  SnapshotReport,
  SnapshotStepInput,
} from '../../contracts/zfs.js';
import type { Door } from '../door.js';
import { retainSnapshots } from './retain.js';
import { takeSnapshots } from './snapshot.js';

/** One step for all datasets of a job on a host: a history stays small however many there are. */
export function createZfsActivities(door: Door) {
  return {
    zfsTakeSnapshots: (input: SnapshotStepInput): Promise<SnapshotReport[]> =>
      door.step(input, (tools) => takeSnapshots(tools, input)),
    zfsRetainSnapshots: (input: RetentionStepInput): Promise<RetentionReport> =>
      door.step(input, (tools) => retainSnapshots(tools, input)),
  };
}

export type ZfsActivities = ReturnType<typeof createZfsActivities>;
