import { join } from 'node:path';
import type { SnapraidPlan } from '../../contracts/snapraid.js';
import { now } from '../../system/clock.js';
import { readEvidence } from '../host/evidence.js';
import type { SnapArray } from './array.js';
import type { Planned } from './diff.js';
import { lastSyncMs } from './last-sync.js';
import type { Change } from './parse-diff.js';

/** Whether a sync is worth it yet, where the job says when it is. What must be asked, or was interrupted, always is. */
export async function withDue(array: SnapArray, { plan, changes }: Planned): Promise<SnapraidPlan> {
  const { due } = array.job;
  if (!due || plan.isInSync || plan.unsynced || plan.reasons.length > 0) return plan;
  const syncedMs = lastSyncMs(await readEvidence(array.tools.host), array.input.resource);
  const ageMs = now().getTime() - syncedMs;
  if (ageMs >= due.age) return plan;
  const written = await newest(array, changes);
  const why = whyNotDue(due, changes.length, written, now().getTime());
  return why === undefined ? plan : { ...plan, notDue: why, syncedPoint: new Date(syncedMs).toISOString() };
}

interface Written {
  bytes: number;
  newestMs: number;
}

/** Pure. */
export function whyNotDue(
  due: NonNullable<SnapArray['job']['due']>,
  files: number,
  { bytes, newestMs }: Written,
  nowMs: number,
): string | undefined {
  const isEnough =
    (due.files !== undefined && files >= due.files) || (due.bytes !== undefined && bytes >= due.bytes);
  if (!isEnough) return 'too little has changed, and the last sync is young';
  const quietMs = nowMs - newestMs;
  return quietMs >= due.quietFor ? undefined : 'somebody still writes';
}

const filesAtOnce = 200;

/** Sizes and times of what is new or changed; a file that is gone meanwhile counts nothing. */
async function newest({ tools, conf }: SnapArray, changes: readonly Change[]): Promise<Written> {
  const paths = changes.flatMap(({ kind, disk, path }) => {
    const folder = conf.data.find(({ name }) => name === disk)?.folder;
    return kind === 'removed' || folder === undefined ? [] : [join(folder, path)];
  });
  const written: Written = { bytes: 0, newestMs: 0 };
  for (let at = 0; at < paths.length; at += filesAtOnce) {
    const args = ['--format=%s %Z', '--', ...paths.slice(at, at + filesAtOnce)];
    const { stdout } = await tools.host.run({ file: 'stat', args }, { signal: tools.signal });
    for (const line of stdout.split('\n')) {
      const [size = 0, changedS = 0] = line.split(' ').map(Number);
      written.bytes += size;
      written.newestMs = Math.max(written.newestMs, changedS * 1000);
    }
  }
  return written;
}
