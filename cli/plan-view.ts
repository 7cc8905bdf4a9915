import type { RestorePlan } from '../contracts/jobs.js';
import { bytes, printable } from './render.js';
import { localTimeWithZone } from './time.js';

const mostPaths = 20;

/** What a restore will do, for the person who says yes to it: everything that the digest stands for. */
export function planLines(plan: RestorePlan): string[] {
  const { snapshot, restorePoint, target, paths, files, bytes: size, bytesFree, resumes, digest } = plan;
  const more = paths.length > mostPaths ? `, and ${paths.length - mostPaths} more` : '';
  return [
    `snapshot   ${snapshot.slice(0, 12)} of ${localTimeWithZone(new Date(restorePoint))} (${restorePoint})`,
    `paths      ${paths.length === 0 ? 'all' : paths.slice(0, mostPaths).join(', ') + more}`,
    `size       ${files} files, ${bytes(size)}; ${bytesFree < 0 ? 'free space unknown' : `${bytes(bytesFree)} free`}`,
    `target     ${target}${resumes ? ' (goes on with an unfinished restore of this plan)' : ''}`,
    `digest     ${digest}`,
  ].map(printable);
}
