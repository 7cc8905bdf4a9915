import type { RestorePlan } from '../../contracts/jobs.js';

const mostPaths = 20;

/** The plan of a restore for who reads of it on a telephone; `show` has it with sizes and times in words. */
export function planLines(plan: RestorePlan): string[] {
  const { snapshot, restorePoint, target, paths, files, bytes, steps, notes = [], inPlace, isPart } = plan;
  const { proof, madeBy } = plan;
  const more = paths.length > mostPaths ? `, and ${paths.length - mostPaths} more` : '';
  const what = steps ?? [
    `paths: ${paths.length === 0 ? 'all' : paths.slice(0, mostPaths).join(', ') + more}`,
  ];
  return [
    `snapshot ${snapshot} of ${restorePoint}`,
    ...(isPart ? ['a PART of an unfinished first upload: much may be missing in it'] : []),
    ...(proof === 'refused' ? ['REFUSED by the run that made it: it may lack files'] : []),
    ...(proof === 'not proved' ? ['NOT PROVED by the run that made it: it may lack files'] : []),
    ...(madeBy === undefined ? [] : [`MADE BY another host: ${madeBy}`]),
    `to ${inPlace?.directory ?? target}${inPlace ? `; what is there goes to ${inPlace.aside}` : ''}`,
    ...what,
    ...(steps ? [`at most ${bytes} bytes`] : [`${files} files, ${bytes} bytes`]),
    ...notes.map((note) => `note: ${note}`),
  ];
}
