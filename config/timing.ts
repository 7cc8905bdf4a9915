import ms from 'ms';
import { runsKeptMs } from '../contracts/names.js';
import { lostStart } from './clock-change.js';
import { type CronIntervals, cronIntervals, parseCron } from './cron.js';
import type { Finding, KeyPath } from './mistakes.js';
import type { JobConfig, ResticBackupJob } from './schema.js';
import { timingDefaults } from './schema-timing.js';

/** Starts that lie too close, and promises that the schedule cannot keep. */
interface Checked {
  mistakes: Finding[];
  warnings: Finding[];
}
interface Timing {
  cron: string;
  jitter?: number;
  timezone?: string;
}
/** What an operation without an own one takes from the job. */
type Above = Required<Pick<Timing, 'jitter' | 'timezone'>>;

/** The schedules of a job, and its objective against them. */
export function checkTiming(job: JobConfig, path: KeyPath, checked: Checked): void {
  const above = job.schedule ?? timingDefaults;
  const main = checkSchedule(job.schedule, above, [...path, 'schedule'], checked);
  const [key, promise] = promiseOf(job);
  const promised = [...path, 'objective', key];
  if (promise !== undefined && !job.schedule) {
    const message = 'the job has no "schedule": the promise is kept only while somebody runs it by hand';
    checked.warnings.push({ path: promised, message });
  }
  checkPromise(promise, main, promised, checked);
  if (job.kind === 'restic-backup') checkUpkeep(job, above, path, checked);
  if (job.kind === 'snapraid-maintenance' && job.scrub.cron !== undefined) {
    const own = { ...job.scrub, cron: job.scrub.cron };
    const scrub = checkSchedule(own, above, [...path, 'scrub'], checked);
    checkPromise(job.objective.scrub, scrub, [...path, 'objective', 'scrub'], checked);
  }
}

/** What the main operation promises, and the key that says so. */
const promiseOf = (job: JobConfig): ['rpo' | 'scrub', number | undefined] =>
  job.kind === 'zfs-scrub' ? ['scrub', job.objective.scrub] : ['rpo', job.objective.rpo];

/** Retention and checks of a repository. */
function checkUpkeep(job: ResticBackupJob, above: Above, path: KeyPath, checked: Checked): void {
  const prune = checkSchedule(job.prune, above, [...path, 'prune'], checked);
  const check = checkSchedule(job.check, above, [...path, 'check'], checked);
  const promised = [...path, 'objective'];
  for (const key of ['check', 'prune'] as const) {
    if (job.objective[key] !== undefined && !job[key]) {
      const message = `promises something that nothing does: the job has no "${key}"`;
      checked.mistakes.push({ path: [...promised, key], message, unless: [...path, key] });
    }
  }
  checkPromise(job.objective.prune, prune, [...promised, 'prune'], checked);
  if (job.check?.parts === undefined)
    checkPromise(job.objective.check, check, [...promised, 'check'], checked);
  else checkParts(job.check.parts, job.objective.check, check, [...path, 'check', 'parts'], checked);
}

interface Known extends CronIntervals {
  jitterMs: number;
}

function checkSchedule(
  timing: Timing | undefined,
  above: Above,
  path: KeyPath,
  checked: Checked,
): Known | undefined {
  if (!timing) return undefined;
  const jitterMs = timing.jitter ?? above.jitter;
  const cron = parseCron(timing.cron);
  const intervals = cronIntervals(cron);
  const lost = lostStart(cron, timing.timezone ?? above.timezone, new Date());
  if (lost !== undefined) checked.warnings.push({ path: [...path, 'cron'], message: lost });
  if (jitterMs >= intervals.smallestMs) {
    const message = `jitter of ${span(jitterMs)} must be shorter than the ${span(intervals.smallestMs)} between two starts`;
    checked.mistakes.push({ path: [...path, timing.jitter === undefined ? 'cron' : 'jitter'], message });
  }
  return { ...intervals, jitterMs };
}

/** Between two starts nothing gets younger: a promise that is shorter is broken even when all goes well. */
function checkPromise(
  promisedMs: number | undefined,
  known: Known | undefined,
  path: KeyPath,
  checked: Checked,
): void {
  if (promisedMs === undefined) return;
  if (promisedMs > runsKeptMs) {
    const message = `is longer than Temporal remembers runs (${span(runsKeptMs)}): a good one that is older counts as none, and "status" calls it overdue`;
    checked.warnings.push({ path, message });
  }
  if (!known) return;
  const { largestMs, jitterMs } = known;
  if (largestMs === Infinity || promisedMs >= largestMs + jitterMs) return;
  const message = `${span(promisedMs)} cannot be kept: up to ${span(largestMs)} lie between two starts, and ${span(jitterMs)} of jitter come on top`;
  checked.warnings.push({ path, message });
}

function checkParts(
  parts: number,
  promisedMs: number | undefined,
  known: Known | undefined,
  path: KeyPath,
  checked: Checked,
): void {
  if (promisedMs === undefined || !known || known.meanMs === Infinity) return;
  const roundMs = parts * known.meanMs;
  if (roundMs <= promisedMs) return;
  const message = `${parts} parts x ${span(known.meanMs)} between two checks: every pack is read once in ${span(roundMs)}, but objective.check promises ${span(promisedMs)}`;
  checked.warnings.push({ path, message });
}

/** 26h, not "1 day": the numbers are compared by eye. */
export function span(milliseconds: number): string {
  const units = [
    { unit: 'd', size: ms('1d'), from: ms('2d') },
    { unit: 'h', size: ms('1h'), from: ms('1h') },
    { unit: 'm', size: ms('1m'), from: ms('1m') },
    { unit: 's', size: ms('1s'), from: 0 },
  ];
  const { unit, size } = units.find(({ from }) => milliseconds >= from) ?? { unit: 's', size: 1000 };
  return `${Math.round((milliseconds / size) * 10) / 10}${unit}`;
}
