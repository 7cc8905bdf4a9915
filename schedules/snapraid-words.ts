import { type Operation, snapraidSteps } from '../config/lookup.js';
import type { Config, SnapraidJob } from '../config/schema.js';
import { code, durationWords, listWords, promise } from './words.js';

/** What the Web UI shows of the jobs that keep SnapRAID arrays. */

/** "SnapRAID maintenance of media": the line in the lists of the Web UI. */
export const snapraidSummary = ({ operation }: Operation, job: SnapraidJob): string =>
  `SnapRAID ${operation === 'scrub' ? 'scrub' : 'maintenance'} of ${listWords(job.resources, 5)}`;

/** What is done to which arrays, in lines of Markdown. */
export function snapraidLines(config: Config, { operation }: Operation, job: SnapraidJob): string[] {
  const of = listWords(
    job.resources.map((name) => arrayWords(config, name)),
    20,
  );
  return [`Of: ${of}`, ...(operation === 'scrub' ? scrubLines(job) : syncLines(job))];
}

function arrayWords(config: Config, name: string): string {
  const resource = config.resources[name];
  return resource?.snapraid ? `${name} (${code(`${resource.host}:${resource.snapraid.config}`)})` : name;
}

function syncLines(job: SnapraidJob): string[] {
  const { units, containers, hooks } = job.pause;
  const paused = [...units, ...containers, ...hooks];
  const { removed, updated } = job.thresholds;
  return [
    `Does: ${snapraidSteps(job).join(', ')}`,
    `Asks before more than ${limitWords(removed)} removed or ${limitWords(updated)} updated files are made permanent; no answer within ${durationWords(job.approveWithin)} is a no`,
    ...(paused.length > 0 ? [`Keeps away while it syncs: ${listWords(paused, 20)}`] : []),
    promise('the newest complete sync is never older than', job.objective.rpo),
  ];
}

const limitWords = ({ files, percent }: { files?: number; percent?: number }): string =>
  [files === undefined ? [] : `${files}`, percent === undefined ? [] : `${percent} %`].flat().join(' or ') ||
  'any number of';

const scrubLines = ({ scrub, objective }: SnapraidJob): string[] => [
  `Reads ${scrub.percent} % each time, of what was not read for ${durationWords(scrub.olderThan)}`,
  ...(scrub.everyBlockWithin === undefined
    ? []
    : [`Reads more when a block would else not be read within ${durationWords(scrub.everyBlockWithin)}`]),
  promise('the newest scrub without errors is never older than', objective.scrub),
];
