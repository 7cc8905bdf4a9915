import type {
  SnapraidByHandInput,
  SnapraidByHandPlan,
  SnapraidByHandReport,
  SnapraidCopiesReport,
  SnapraidLook,
  SnapraidLookInput,
  SnapraidPlan,
  SnapraidRepairInput,
  SnapraidRepairReport,
  SnapraidScrubInput,
  SnapraidScrubReport,
  SnapraidSmartReport,
  SnapraidStepInput,
  SnapraidSyncInput,
  SnapraidSyncReport,
  SnapraidTouchInput,
} from '../../contracts/snapraid.js';
import type { Door } from '../door.js';
import { openArray, type SnapArray } from './array.js';
import { askStatus } from './ask.js';
import { actByHand, planByHand } from './by-hand.js';
import { keepCopies } from './copies.js';
import { planNow } from './diff.js';
import { withDue } from './due.js';
import { lookAtArray, touchFiles } from './look.js';
import { repairBad } from './repair-bad.js';
import { scrubArray } from './scrub.js';
import { reportHealth, spinDown } from './smart.js';
import { syncArray } from './sync.js';

/** The steps on a SnapRAID array; each opens it as the host's own files say. */
export function createSnapraidActivities(door: Door) {
  const on = <I extends SnapraidStepInput, O>(input: I, body: (array: SnapArray) => Promise<O>): Promise<O> =>
    door.step(input, async (tools) => body(await openArray(tools, input)));
  return {
    snapraidLook: (input: SnapraidLookInput): Promise<SnapraidLook> =>
      on(input, (array) => lookAtArray(array, input)),
    snapraidTouch: (input: SnapraidTouchInput): Promise<{ touched: number }> =>
      on(input, (array) => touchFiles(array, input)),
    /** What a sync would make permanent. Nothing is changed. */
    snapraidPlan: (input: SnapraidStepInput): Promise<SnapraidPlan> =>
      on(input, async (array) => withDue(array, await planNow(array, await askStatus(array)))),
    /** Looks again, and refuses whatever was not approved. */
    snapraidSync: (input: SnapraidSyncInput): Promise<SnapraidSyncReport> =>
      on(input, (array) => syncArray(array, input)),
    snapraidKeepCopies: (input: SnapraidStepInput): Promise<SnapraidCopiesReport> => on(input, keepCopies),
    snapraidScrub: (input: SnapraidScrubInput): Promise<SnapraidScrubReport> =>
      on(input, (array) => scrubArray(array, input)),
    snapraidRepairBad: (input: SnapraidRepairInput): Promise<SnapraidRepairReport> =>
      on(input, (array) => repairBad(array, input)),
    /** What a procedure by hand would do: nothing is changed. */
    snapraidPlanByHand: (input: SnapraidByHandInput): Promise<SnapraidByHandPlan> =>
      on(input, (array) => planByHand(array, input)),
    snapraidActByHand: (input: SnapraidByHandInput): Promise<SnapraidByHandReport> =>
      on(input, (array) => actByHand(array, input)),
    snapraidSpinDown: (input: SnapraidStepInput): Promise<{ down: boolean }> => on(input, spinDown),
    snapraidSmart: (input: SnapraidStepInput): Promise<SnapraidSmartReport> => on(input, reportHealth),
  };
}

export type SnapraidActivities = ReturnType<typeof createSnapraidActivities>;
