import type { RestorePlan } from '../contracts/jobs.js';
import { printable } from './printable.js';
import { bytes } from './render.js';
import { localTimeWithZone } from './time.js';

const mostPaths = 20;

/** What a restore will do, for the person who says yes to it: everything that the digest stands for. */
export function planLines(plan: RestorePlan): string[] {
  const { snapshot, restorePoint, paths, files, bytes: size, bytesFree, digest } = plan;
  if (plan.steps) return datasetLines(plan, plan.steps);
  const more = paths.length > mostPaths ? `, and ${paths.length - mostPaths} more` : '';
  return [
    `snapshot   ${shortId(snapshot)} of ${localTimeWithZone(new Date(restorePoint))} (${restorePoint})`,
    ...(plan.isPart ? ['PART       of an unfinished first upload: much may be missing in it'] : []),
    ...unsureLines(plan),
    `paths      ${paths.length === 0 ? 'all' : paths.slice(0, mostPaths).join(', ') + more}`,
    `size       ${files} files, ${bytes(size)}; ${bytesFree < 0 ? 'free space unknown' : `${bytes(bytesFree)} free`}`,
    ...targetLines(plan),
    ...firstLines(plan),
    ...ownerLines(plan),
    ...attributeLines(plan),
    ...(plan.notes ?? []).map((note) => `note       ${note}`),
    `digest     ${digest}`,
  ].map(printable);
}

/** The ids of restic are long and their beginning is enough; the names of snapshots are not. */
export const shortId = (snapshot: string): string =>
  /^[0-9a-f]{64}$/.test(snapshot) ? snapshot.slice(0, 12) : snapshot;

const unsureLines = ({ proof, madeBy }: RestorePlan): string[] => [
  ...(proof === 'refused' ? ['REFUSED    by the run that made it: it may lack files'] : []),
  ...(proof === 'not proved' ? ['NOT PROVED by the run that made it: it may lack files'] : []),
  ...(madeBy === undefined ? [] : [`MADE BY    another host: ${madeBy}`]),
];

/** Whole datasets: there the host says line by line what it will do. */
const datasetLines = (plan: RestorePlan, steps: readonly string[]): string[] =>
  [
    `snapshot   ${plan.snapshot} of ${localTimeWithZone(new Date(plan.restorePoint))} (${plan.restorePoint})`,
    `target     ${plan.target}`,
    ...steps,
    `size       at most ${bytes(plan.bytes)}; ${plan.bytesFree < 0 ? 'free space unknown' : `${bytes(plan.bytesFree)} free`}`,
    `digest     ${plan.digest}`,
  ].map(printable);

function targetLines({ target, resumes, inPlace }: RestorePlan): string[] {
  const goesOn = resumes ? ' (goes on with an unfinished restore of this plan)' : '';
  if (!inPlace) return [`target     ${target}${goesOn}`];
  const { directory, aside, files, bytes: size } = inPlace;
  return [
    `target     ${directory} (in place; restored in ${target} first${goesOn})`,
    `aside      ${files} files, ${bytes(size)} that are there now go to ${aside} and stay there`,
  ];
}

const firstLines = ({ first }: RestorePlan): string[] =>
  first
    ? [
        `first      ${first.paths.slice(0, mostPaths).join(', ')}: ${first.files} files, ${bytes(first.bytes)} to ${first.target}`,
      ]
    : [];

const ownerLines = ({ mapping }: RestorePlan): string[] =>
  mapping
    ? [`owners     mapped by ${mapping.mapIds.join(', ')}: ${mapping.entries} entries get new ones`]
    : [];

function attributeLines({ attributes }: RestorePlan): string[] {
  if (!attributes) return [];
  const { way, bytesReadAgain, why, bytesIfAsked } = attributes;
  if (way === 'mount') return ['attributes compared through a mount of the copy: no content is read again'];
  if (way === 'second read')
    return [`attributes compared by reading ${bytes(bytesReadAgain)} of the copy a second time: ${why}`];
  const choice =
    bytesIfAsked === undefined
      ? ''
      : `; --compare-attributes reads ${bytes(bytesIfAsked)} a second time instead`;
  return [`attributes NOT COMPARED, and no access lists: ${why}${choice}`];
}
