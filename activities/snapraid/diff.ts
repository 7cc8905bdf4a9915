import type { SnapraidPlan } from '../../contracts/snapraid.js';
import { writePacked } from '../../system/packed.js';
import { readEvidence } from '../host/evidence.js';
import type { SnapArray } from './array.js';
import { recordsOf } from './array.js';
import { askDiff } from './ask.js';
import { lastSyncMs } from './last-sync.js';
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
export async function planNow(array: SnapArray, status: ArrayStatus): Promise<Planned> {
  const { filesOfDisk, isEmpty } = status;
  const { tools, input, job } = array;
  const diff = await askDiff(array);
  const known = [...(isEmpty ? await forgottenArray(array) : []), ...(await unfinishedRepairs(array))];
  const judged = planSync({ diff, thresholds: job.thresholds, filesOfDisk, known });
  const file = `${recordsOf(array)}/${input.run}.${input.resource}.diff`;
  await tools.host.driver.makeFolder(recordsOf(array));
  await writePacked(tools.host.driver, file, diff);
  const { counts, reasons, digest, lines } = judged;
  // The diff says it in words of its own, and only where nothing else has changed.
  const unsynced = judged.unsynced || status.unsynced > 0;
  const isInSync = judged.isInSync && status.unsynced === 0;
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

/** Without any content file snapraid takes the array for a new one; when it is none, a sync would write over parity that is good. */
async function forgottenArray({ tools: { host }, conf, input }: SnapArray): Promise<string[]> {
  const parity: string[] = [];
  for (const file of conf.parity.flatMap(({ files }) => files))
    if (((await host.facts(file))?.size ?? 0) > 0) parity.push(file);
  const wasSynced = lastSyncMs(await readEvidence(host), input.resource) > 0;
  if (parity.length === 0 && !wasSynced) return [];
  const why = parity.length > 0 ? `${parity[0]} is there` : 'it was synced before';
  return [
    `no content file of the array is found although ${why}: a sync would take it for new and overwrite its parity. Bring a content file back`,
  ];
}
