import { scrubIntervalMs } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { SnapraidScrubInput, SnapraidScrubReport } from '../../contracts/snapraid.js';
import { now } from '../../system/clock.js';
import { addEvidence } from '../host/evidence.js';
import { openMs, type SnapArray } from './array.js';
import { askStatus } from './ask.js';
import { timeOver } from './command.js';
import { guardDisks } from './guard.js';
import { guardParity } from './guard-parity.js';
import { factsOf } from './look.js';
import { refuseDaemon } from './others.js';
import type { ArrayStatus } from './parse-status.js';
import { parseWork, type WorkEnd } from './parse-work.js';
import { planRepair } from './repair-bad.js';
import { type Ages, asBegun, readSince } from './scrub-begun.js';
import { planScrub } from './scrub-plan.js';
import { failing, stopped, wasStopped } from './sync-verdict.js';
import { leftLog, work } from './work.js';

/** Reads a part of the array and compares it with its hashes and parity. */

export async function scrubArray(array: SnapArray, input: SnapraidScrubInput): Promise<SnapraidScrubReport> {
  await refuseDaemon(array);
  await guardDisks(array);
  const before = await askStatus(array);
  await guardParity(array, before);
  const interval = { nowMs: now().getTime(), betweenMs: scrubIntervalMs(array.job) };
  const { percent, olderThanDays } = planScrub(before, array.job.scrub, interval);
  const plan = input.onlyBad ? 'bad' : percent;
  array.tools.log(`scrub: ${plan === 'bad' ? 'bad blocks' : `${plan} %, older than ${olderThanDays} days`}`);
  const leftMs = input.onlyBad ? undefined : openMs(array);
  if (leftMs === 0) return leftBehind(array, before);
  const begun = leftMs === undefined ? before : await asBegun(array, before);
  const withinSeconds = leftMs === undefined ? {} : { withinSeconds: Math.ceil(leftMs / 1000) };
  const { lines, result } = await work(array, { verb: 'scrub', plan, olderThanDays, ...withinSeconds });
  const end = parseWork('scrub', lines);
  for (const trouble of end.troubles) array.tools.log(`scrub: ${trouble}`);
  if (result.exitCode === timeOver && leftMs !== undefined) return judgePart(array, end, begun);
  if (wasStopped(end, result)) throw stopped(array, 'scrub');
  if (end.exit === undefined) throw unknown(array, result.exitCode, result.stderrTail);
  if (end.ioErrors > 0) throw failing(end, array.tools.host.name);
  const report = await judge(array, end, result.exitCode);
  return input.onlyBad && report.bad > 0 ? unprovedYet(report, end) : report;
}

/** Where files beside them are gone or changed, their stripes cannot be read as they were, and the next sync computes them anew. */
function unprovedYet(report: SnapraidScrubReport, end: WorkEnd): SnapraidScrubReport {
  if (end.dataErrors > 0 || end.fileErrors === 0) throw stillBad(report);
  const unproved = `${report.bad} repaired blocks are proved only after the next sync: files beside them have changed`;
  return { ...report, warnings: [unproved, ...report.warnings] };
}

/** The hours of the job were over before it, but an earlier attempt whose worker was killed may have read until then. */
async function leftBehind(array: SnapArray, before: ArrayStatus): Promise<SnapraidScrubReport> {
  const begun = await asBegun(array, before);
  if (readSince(begun, before) > 0)
    return judgePart(array, parseWork('scrub', await leftLog(array, 'scrub')), begun);
  // Who looks only at what ends well must not take it for a scrub.
  return {
    resource: array.input.resource,
    state: 'outside',
    percent: 0,
    blocks: before.blocks,
    ...(await planRepair(array, before)),
    warnings: [nothingWords],
  };
}

const nothingWords = 'nothing was scrubbed: the hours of the job were over';

/** It was told to stop when the hours were over: what it has read until then counts, and the next one goes on with what is oldest. */
async function judgePart(array: SnapArray, end: WorkEnd, begun: Ages): Promise<SnapraidScrubReport> {
  if (end.ioErrors > 0) throw failing(end, array.tools.host.name);
  const after = await askStatus(array);
  // How snapraid itself ended is not known: the exit code is of the clock.
  if (end.dataErrors > 0 && after.bad === 0) throw unknown(array, timeOver, 'its status knows no bad block');
  const read = readSince(begun, after);
  const part = await report(array, end, after, { state: 'outside', percent: shareOf(read, after) });
  return read > 0 ? part : { ...part, warnings: [nothingWords, ...part.warnings] };
}

async function judge(
  array: SnapArray,
  end: WorkEnd,
  exitCode: number | undefined,
): Promise<SnapraidScrubReport> {
  const status = await askStatus(array);
  const { bad } = status;
  if (end.dataErrors > 0 && bad === 0) throw unknown(array, exitCode, 'its status knows no bad block');
  if (exitCode !== 0 && bad === 0 && end.fileErrors === 0) throw unknown(array, exitCode, '');
  if (exitCode === 0 && end.exit !== 'ok') throw unknown(array, exitCode, `exit:${end.exit}`);
  return report(array, end, status, { state: 'finished', percent: shareOf(end.blocksChosen, status) });
}

async function report(
  array: SnapArray,
  end: WorkEnd,
  status: ArrayStatus,
  { state, percent }: Pick<SnapraidScrubReport, 'state' | 'percent'>,
): Promise<SnapraidScrubReport> {
  const { tools, job: settings, input } = array;
  const { run, job, resource } = input;
  const { bad, blocks } = status;
  const { oldestDays } = factsOf(status, now());
  const warnings = [
    ...(end.fileErrors > 0 ? [`${end.fileErrors} files changed since the sync or could not be read`] : []),
    ...lateWords(oldestDays, settings.scrub.everyBlockWithin),
  ];
  await addEvidence(tools.host, { kind: 'array-scrubbed', run, job, resource, percent, bad, oldestDays });
  return {
    resource,
    state,
    percent,
    blocks,
    ...(await planRepair(array, status)),
    warnings,
  };
}

/** The run must not look like one that has mended everything, and no sync may come after this. */
const stillBad = ({ resource, bad, files }: SnapraidScrubReport): HoldfastError =>
  new HoldfastError(
    'HF_ARRAY_DAMAGED',
    `${bad} blocks of "${resource}" are still bad after the repair: ${files.slice(0, 3).join('; ')}`.slice(
      0,
      300,
    ),
  );

/** The promise of the job, whatever each scrub by itself has done. */
function lateWords(oldestDays: number, everyBlockWithin: number | undefined): string[] {
  const days = everyBlockWithin === undefined ? Number.POSITIVE_INFINITY : everyBlockWithin / 86_400_000;
  if (oldestDays <= days) return [];
  return [
    `a block was read ${oldestDays} days ago, and "everyBlockWithin" promises ${Math.floor(days)} days`,
  ];
}

/** Of what was really read: blocks that are young enough are left out, however much was asked for. Pure. */
export function shareOf(blocksRead: number, { readAt }: Pick<ArrayStatus, 'readAt'>): number {
  const used = readAt.reduce((sum, { blocks }) => sum + blocks, 0);
  return used === 0 ? 0 : Math.min(100, Math.round((100 * blocksRead) / used));
}

const unknown = ({ input }: SnapArray, exitCode: number | undefined, words: string): HoldfastError =>
  new HoldfastError(
    'HF_ARRAY_UNREADABLE',
    `The scrub of "${input.resource}" ended with ${exitCode} and did not say how: ${words.trim().slice(-150)}`,
  );
