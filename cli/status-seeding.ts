import { bytes } from './render.js';
import type { Snapshot } from './snapshot.js';
import { age } from './time.js';

/** The first upload to a store: there is no copy whose age could be judged, so what counts is that it moves. */

export interface Seeding {
  store: string;
  noProgressAfterMs: number;
  /** The run that goes on; absent while none does. */
  run?: string;
  startedAt?: Date;
  /** The run before it has failed. */
  failedBefore?: boolean;
  /** What the run waits for or fails at. */
  waiting?: string;
  /** Absent while no run goes on, or it has said nothing yet. */
  bytesDone?: number;
  bytesTotal?: number;
  secondsLeft?: number;
  /** Absent when nothing has moved in this run. */
  progressAt?: Date;
}

type Told = Pick<Seeding, 'bytesDone' | 'bytesTotal' | 'secondsLeft' | 'progressAt'>;

/** What a run tells of its seeding: of the step that goes on, or of the last portion that was finished. */
export function seedingIn({ pending, report }: Pick<Snapshot, 'pending' | 'report'>): Told {
  const finished = report?.seeding;
  const seed = pending.find(({ activity }) => activity === 'resticSeed')?.progress;
  const copy = pending.find(({ activity }) => activity === 'resticBackup')?.progress;
  const moved = [finished?.at, seed?.newBytes ? seed.movedAt : undefined, finished && copy?.movedAt]
    .flatMap((time) => time ?? [])
    .sort()
    .at(-1);
  const { bytesDone, bytesTotal, secondsLeft } = seed?.newBytes === undefined ? (finished ?? {}) : seed;
  return {
    ...(bytesDone !== undefined && { bytesDone, bytesTotal }),
    ...(secondsLeft !== undefined && { secondsLeft }),
    ...(moved !== undefined && { progressAt: new Date(moved) }),
  };
}

/** A run that has only begun is given its time, unless the one before it has failed: else one that fails each night would never be told. */
export function isStalled(
  { noProgressAfterMs, progressAt, startedAt, failedBefore }: Seeding,
  now: Date,
): boolean {
  if (!startedAt) return true;
  if (!progressAt && failedBefore) return true;
  return now.getTime() - (progressAt ?? startedAt).getTime() > noProgressAfterMs;
}

/** "seeding 24 %, 1.2 TiB of 5 TiB, 15 d left, last progress 3 min ago" */
export function seedingText({ bytesDone, bytesTotal, secondsLeft, progressAt }: Told, now: Date): string {
  if (bytesDone === undefined || !bytesTotal) return 'seeding';
  const parts = [
    `seeding ${Math.floor(Math.min(1, bytesDone / bytesTotal) * 100)} %`,
    `${bytes(bytesDone)} of ${bytes(bytesTotal)}`,
    ...(secondsLeft === undefined ? [] : [`${age(secondsLeft * 1000)} left`]),
    progressAt
      ? `last progress ${age(now.getTime() - progressAt.getTime())} ago`
      : 'no progress in this run yet',
  ];
  return parts.join(', ');
}
