import type { Progress } from '../contracts/jobs.js';
import { printable } from './printable.js';
import { bytes } from './render.js';
import { type PendingStep, type Snapshot, waitOfRun } from './snapshot.js';
import { duration, localTime } from './time.js';

/** What changed between two looks at a run, as lines that also read well in a log file. */
export type LineFollower = (snapshot: Snapshot) => string[];

const quietMs = 30_000;

/** Remembers what it has said: each thing is said once, progress at each 10 % or after 30 s with movement. */
export function lineFollower(options = { progress: true }): LineFollower {
  const stepStates = new Map<string, string>();
  const failedAttempts = new Map<string, number>();
  const progressSaid = new Map<string, { tenth: number; atMs: number; movedAt: string }>();
  let waitSaid: string | undefined;

  const steps = (snapshot: Snapshot): string[] =>
    (snapshot.report?.steps ?? []).flatMap(({ name, state, note }) => {
      const known = stepStates.get(name);
      stepStates.set(name, state);
      if (state === known || state === 'waiting') return [];
      return [`${name}: ${wordsOfState[state]}${note ? ` (${note})` : ''}`];
    });

  const failures = (snapshot: Snapshot): string[] =>
    snapshot.pending.flatMap((step) => {
      if (!step.failure || (failedAttempts.get(step.id) ?? 0) >= step.attempt) return [];
      failedAttempts.set(step.id, step.attempt);
      return [failureLine(step, snapshot.at)];
    });

  const progress = (snapshot: Snapshot): string[] =>
    snapshot.pending.flatMap((step) => {
      if (!step.progress || step.state !== 'started' || !hasNumbers(step.progress)) return [];
      const key = `${step.id} ${step.progress.phase}`;
      const now = {
        tenth: tenthOf(step.progress),
        atMs: snapshot.at.getTime(),
        movedAt: step.progress.movedAt,
      };
      const said = progressSaid.get(key);
      const moved = said?.movedAt !== now.movedAt && now.atMs - (said?.atMs ?? 0) >= quietMs;
      if (said && now.tenth <= said.tenth && !moved) return [];
      progressSaid.set(key, now);
      return [progressLine(step.progress)];
    });

  const waits = (snapshot: Snapshot): string[] => {
    const wait = waitOfRun(snapshot);
    if (wait === waitSaid) return [];
    waitSaid = wait;
    return wait ? [wait] : [];
  };

  return (snapshot) =>
    [
      ...steps(snapshot),
      ...failures(snapshot),
      ...waits(snapshot),
      ...(options.progress ? progress(snapshot) : []),
    ].map(printable);
}

const wordsOfState = {
  waiting: 'waits',
  running: 'started',
  done: 'done',
  warned: 'done with warnings',
  failed: 'failed',
  skipped: 'left out',
} as const;

/** "attempt 2 failed: … ; tried again at 04:12:00 (in 1 min)" */
export function failureLine(step: PendingStep, now: Date): string {
  const reason = step.failure?.message ?? 'no reason was given';
  const waits = step.nextAttemptAt && step.nextAttemptAt > now;
  // While a retry runs or waits, the server already counts it.
  const failed = Math.max(1, step.attempt - 1);
  if (!waits || !step.nextAttemptAt)
    return `attempt ${failed} failed: ${reason}; ${step.state === 'started' ? 'trying again now' : 'to be tried again'}`;
  const pause = duration(step.nextAttemptAt.getTime() - now.getTime());
  return `attempt ${failed} failed: ${reason}; tried again at ${localTime(step.nextAttemptAt).slice(11)} (in ${pause})`;
}

/** A step that has only just begun has nothing to tell yet. */
const hasNumbers = ({ bytesTotal, filesTotal }: Progress): boolean => bytesTotal > 0 || filesTotal > 0;

const tenthOf = (progress: Progress): number => Math.floor(fractionOf(progress) * 10);

/** Between 0 and 1; the total may still grow while the tool scans, so it is never more than 1. */
export const fractionOf = ({ bytesDone, bytesTotal, filesDone, filesTotal }: Progress): number =>
  Math.min(1, bytesTotal > 0 ? bytesDone / bytesTotal : filesTotal > 0 ? filesDone / filesTotal : 0);

/** "upload: 40 %, 1.2 GiB of 3 GiB, 12 MiB/s, 2 min 30 s left" */
export function progressLine(progress: Progress): string {
  const { phase, bytesDone, bytesTotal, filesDone, filesTotal, bytesPerSecond, secondsLeft } = progress;
  const parts = [
    bytesTotal > 0 &&
      `${Math.floor(fractionOf(progress) * 100)} %, ${bytes(bytesDone)} of ${bytes(bytesTotal)}`,
    filesTotal > 0 && `${filesDone} of ${filesTotal} files`,
    bytesPerSecond > 0 && `${bytes(bytesPerSecond)}/s`,
    secondsLeft !== undefined && secondsLeft > 0 && `${duration(secondsLeft * 1000)} left`,
  ].filter((part) => part !== false);
  return `${phase}: ${parts.length > 0 ? parts.join(', ') : 'working'}`;
}
