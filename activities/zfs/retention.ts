import { neededByCopies } from './retention-copies.js';
import type { Dataset, Snapshot } from './types.js';

/** Which snapshots of a job stay and which go, each with its reason. Pure: a listing in, verdicts out. */

export interface KeepRules {
  last?: number | undefined;
  hourly?: number | undefined;
  daily?: number | undefined;
  weekly?: number | undefined;
  monthly?: number | undefined;
  yearly?: number | undefined;
  /** Milliseconds. */
  within?: number | undefined;
}

export interface RetentionRules {
  keep: KeepRules;
  nowS: number;
  /** Days, weeks, months and years begin at midnight there. */
  timezone: string;
}

export interface Verdict {
  dataset: string;
  snapshot: Snapshot;
  /** Why it stays; none means that it goes. */
  reasons: string[];
}

/** Of one dataset, oldest first; only what the job itself has made, by what the snapshots say about themselves. */
export const judgeSnapshots = (dataset: Dataset, rules: RetentionRules & { job: string }): Verdict[] =>
  judgeOwn(
    dataset,
    dataset.snapshots.filter((snapshot) => isOf(snapshot, rules.job)),
    rules,
  );

/** `own` are the candidates, oldest first: everything else is not even looked at. */
export function judgeOwn(dataset: Dataset, own: readonly Snapshot[], rules: RetentionRules): Verdict[] {
  const byRule = keptByRules(own, rules);
  const needed = neededByCopies(dataset, own);
  return own.map((snapshot) => ({
    dataset: dataset.name,
    snapshot,
    reasons: [
      ...(byRule.get(snapshot) ?? []),
      ...(needed.get(snapshot) ?? []),
      ...(snapshot.holds > 0 ? ['held'] : []),
      ...(snapshot === own.at(-1) ? ['newest'] : []),
    ],
  }));
}

/** Both properties must say so: one alone may be somebody's experiment. */
const isOf = ({ job, run }: Snapshot, wanted: string): boolean =>
  job === wanted &&
  run?.startsWith(wanted) === true &&
  /^(\.seed-[a-z0-9-]+)?-\d{4}-/.test(run.slice(wanted.length));

const counted = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
type Period = (typeof counted)[number];

export type Reasons = Map<Snapshot, string[]>;

const addReason = (reasons: Reasons, snapshot: Snapshot, reason: string): void => {
  reasons.set(snapshot, [...(reasons.get(snapshot) ?? []), reason]);
};

/** Of some snapshots, oldest first: those that a rule keeps, and which. */
export function keptByRules(own: readonly Snapshot[], { keep, timezone, nowS }: RetentionRules): Reasons {
  const reasons: Reasons = new Map();
  for (const period of counted) {
    for (const snapshot of newestOfEach(own, period, timezone).slice(0, keep[period] ?? 0)) {
      addReason(reasons, snapshot, period);
    }
  }
  const { within } = keep;
  if (within === undefined) return reasons;
  // The worker may drive the host over ssh and have another clock: one that is ahead must make no snapshot old.
  const fromS = Math.min(nowS, own.at(-1)?.creationS ?? nowS);
  for (const snapshot of own) {
    if (fromS - snapshot.creationS <= within / 1000) addReason(reasons, snapshot, 'within');
  }
  return reasons;
}

/** As restic counts: the newest of each period that has one, so that a time without snapshots uses nothing up. Newest first. */
function newestOfEach(own: readonly Snapshot[], period: Period, timezone: string): Snapshot[] {
  const newest = new Map<string, Snapshot>();
  for (const snapshot of own) {
    const key = periodKey(period, snapshot, timezone);
    newest.delete(key);
    newest.set(key, snapshot);
  }
  return [...newest.values()].reverse();
}

/** Hours are those of UTC: where clocks are put back, one hour comes twice. */
function periodKey(
  period: (typeof counted)[number],
  { guid, creationS }: Snapshot,
  timezone: string,
): string {
  if (period === 'last') return guid;
  if (period === 'hourly') return String(Math.floor(creationS / 3600));
  const day = localDay(creationS, timezone);
  if (period === 'weekly') return weekOf(day);
  return day.slice(0, { daily: 10, monthly: 7, yearly: 4 }[period]);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const days = new Map<string, string>();

/** `2026-11-20`. Thousands of snapshots share one moment, and asking the calendar is slow. */
function localDay(creationS: number, timezone: string): string {
  const key = `${timezone} ${creationS}`;
  const known = days.get(key);
  if (known !== undefined) return known;
  if (days.size > 100_000) days.clear();
  const format =
    formats.get(timezone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' });
  formats.set(timezone, format);
  const day = format.format(creationS * 1000);
  days.set(key, day);
  return day;
}

/** The Monday that a week begins with. */
function weekOf(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}
