import type { SnapraidPlan } from '../../contracts/snapraid.js';
import { writePacked } from '../../system/packed.js';
import type { SnapArray } from './array.js';
import { recordsOf } from './array.js';
import { askDiff } from './ask.js';
import { unfinishedRepairs } from './open-repair.js';
import type { Change } from './parse-diff.js';
import type { ArrayStatus } from './parse-status.js';
import { type Judged, planSync } from './plan.js';

export interface Planned {
  plan: SnapraidPlan;
  judged: Judged;
  changes: Change[];
}

/** What a sync would do now. The whole diff lies with our records; the history keeps counts and the first names. */
export async function planNow(array: SnapArray, { filesOfDisk }: ArrayStatus): Promise<Planned> {
  const { tools, input, job } = array;
  const diff = await askDiff(array);
  const known = await unfinishedRepairs(array);
  const judged = planSync({ diff, thresholds: job.thresholds, filesOfDisk, known });
  const file = `${recordsOf(array)}/${input.run}.${input.resource}.diff`;
  await tools.host.driver.makeFolder(recordsOf(array));
  await writePacked(tools.host.driver, file, diff);
  const { counts, isInSync, unsynced, reasons, digest, lines } = judged;
  tools.log(`diff: ${JSON.stringify(counts)}${reasons.length > 0 ? `; asks: ${reasons.join('; ')}` : ''}`);
  return {
    plan: {
      resource: input.resource,
      counts,
      isInSync,
      unsynced,
      reasons: reasons.slice(0, 20),
      digest,
      lines,
      file,
      warnings: [],
    },
    judged,
    changes: diff.changes,
  };
}
