import type { Operation, OperationKind } from '../config/lookup.js';
import type { ReplicaLag } from '../contracts/replication.js';
import { isCovered } from '../schedules/covers.js';
import { isStalled, type Seeding } from './status-seeding.js';
import type { RunRow } from './visibility.js';

/** What is known of one operation, before it is judged. */
export interface OperationFacts {
  operation: Operation;
  objectiveMs?: number;
  /** Absent when Temporal has no schedule of it. */
  schedule?: ScheduleFacts;
  /** The newest run that did what it promises. */
  newestGood?: RunRow;
  /** The newest run that has ended, however. */
  last?: RunRow;
  running?: RunRow;
  /** What the running one waits for or fails at. */
  waiting?: string;
  /** Only while the first upload of a job that seeds is not finished. */
  seeding?: Seeding;
  /** Retention in stores that delete nothing. */
  appendOnly?: boolean;
  failedOver?: FailedOver;
}

/** A replica is the one in use: since when, and by which run. */
export interface FailedOver {
  run: string;
  store: string;
  at: Date;
}

export interface ScheduleFacts {
  paused: boolean;
  note: string;
  next?: Date;
}

/** green: within the objective; yellow: soon not, or the last run did not end well; red: overdue; none: nothing promised. */
export type Level = 'green' | 'yellow' | 'red' | 'none';

/** One line of `status`, and what --json prints. */
export interface StatusRow {
  name: string;
  job: string;
  operation: string;
  level: Level;
  overdue: boolean;
  goodRun?: string;
  /** Which moment the newest good copy holds; for other operations when the last good run ended. */
  goodAt?: Date;
  ageMs?: number;
  objectiveMs?: number;
  lastRun?: string;
  lastState?: RunRow['state'];
  lastAt?: Date;
  next?: Date;
  /** "by hand": the file gives it no schedule; "not applied": it does, but Temporal has none. */
  schedule: 'active' | 'paused' | 'not applied' | 'by hand';
  note: string;
  running?: string;
  runningSince?: Date;
  waiting?: string;
  seeding?: Seeding;
  /** A run of it that ended well has removed nothing. */
  appendOnly?: boolean;
  /** What the last run has found out about its thing. */
  finding?: string;
  failedOver?: FailedOver;
  /** Of one replication: how far its datasets were behind. */
  replicas?: ReplicaLag[];
}

/** From this share of the objective on, an age is shown in yellow. */
const nearlyOverdue = 0.8;

/** Operations that leave the state of a moment behind. */
const holdsState: ReadonlySet<string> = new Set<OperationKind>(['backup', 'snapshot', 'replicate', 'sync']);

/** Whether a run counts as the proof that its operation promises. */
export function isGood({ operation, state, restorePoint, closedAt }: RunRow): boolean {
  if (closedAt === undefined) return false;
  // "Newest clean check": a check or scrub that had to warn has not shown that all is well.
  if (operation === 'check' || operation === 'scrub') return state === 'ok';
  if (state !== 'ok' && state !== 'warnings') return false;
  return !holdsState.has(operation) || restorePoint !== undefined;
}

/** No promise is broken yet, and all is not well. */
const isUnsettled = ({ seeding, failedOver }: OperationFacts): boolean =>
  seeding !== undefined || failedOver !== undefined;

/** Judges one operation. Pure, so that every colour has a test. */
export function statusRow(facts: OperationFacts, now: Date): StatusRow {
  const { operation, objectiveMs, newestGood, last, running, seeding } = facts;
  const goodAt = newestGood && new Date(pointOf(newestGood));
  const ageMs = goodAt && Math.max(0, now.getTime() - goodAt.getTime());
  const overdue = isOverdue(facts, ageMs, now);
  return {
    name: operation.name,
    job: operation.job,
    operation: operation.operation,
    level: isUnsettled(facts) && !overdue ? 'yellow' : levelOf({ objectiveMs, ageMs, overdue, last }),
    overdue,
    ...(newestGood && { goodRun: newestGood.run, goodAt, ageMs }),
    ...(objectiveMs !== undefined && { objectiveMs }),
    ...(last && { lastRun: last.run, lastState: last.state, lastAt: last.closedAt }),
    ...(facts.schedule?.next && !facts.schedule.paused && { next: facts.schedule.next }),
    schedule: scheduleWord(facts),
    note: facts.schedule?.note ?? '',
    ...(running && { running: running.run, runningSince: running.startedAt }),
    ...(facts.waiting && { waiting: facts.waiting }),
    ...(seeding && { seeding }),
    ...(facts.appendOnly && { appendOnly: true }),
    ...(last?.finding && { finding: last.finding }),
    ...(facts.failedOver && { failedOver: facts.failedOver }),
  };
}

/** While the first copy is under way there is no age: what counts is that it moves. */
function isOverdue(facts: OperationFacts, ageMs: number | undefined, now: Date): boolean {
  const { objectiveMs, seeding, running, last } = facts;
  const failedBefore = last !== undefined && !isGood(last);
  if (seeding) return isStalled(seeding, { running, failedBefore }, now);
  return objectiveMs !== undefined && (ageMs === undefined || ageMs > objectiveMs);
}

function levelOf(judged: { objectiveMs?: number; ageMs?: number; overdue: boolean; last?: RunRow }): Level {
  const { objectiveMs, ageMs, overdue, last } = judged;
  if (overdue) return 'red';
  const endedBadly = last !== undefined && !isGood(last);
  if (endedBadly || last?.state === 'warnings') return 'yellow';
  if (objectiveMs === undefined || ageMs === undefined) return 'none';
  return ageMs > nearlyOverdue * objectiveMs ? 'yellow' : 'green';
}

function scheduleWord({ operation, schedule }: OperationFacts): StatusRow['schedule'] {
  if (!schedule) return operation.schedule ? 'not applied' : 'by hand';
  return schedule.paused ? 'paused' : 'active';
}

/** Takes runs as the list gives them, newest first; tells when every operation has its last and its last good one. */
export function collectRuns(operations: readonly Wanted[]) {
  const found = new Map(operations.map(({ job, operation }) => [`${job}.${operation}`, {} as FoundRuns]));
  const wanted = new Map(operations.map(({ job, operation, covers }) => [`${job}.${operation}`, covers]));
  let missing = found.size;
  return {
    add(row: RunRow): void {
      const entry = found.get(`${row.job}.${row.operation}`);
      if (!entry) return;
      const complete = entry.newestGood !== undefined;
      entry.last ??= row;
      // A run from before a resource or a store was added proves nothing for what was added.
      const covers = wanted.get(`${row.job}.${row.operation}`);
      if (!isGood(row) || (covers !== undefined && !isCovered(covers, row.covers ?? ''))) return;
      entry.newestGood = newerGood(entry.newestGood, row);
      if (!complete) missing -= 1;
    },
    /** All have a good run; what comes after is older. */
    complete: (): boolean => missing === 0,
    of: ({ job, operation }: Pick<Operation, 'job' | 'operation'>): FoundRuns =>
      found.get(`${job}.${operation}`) ?? {},
  };
}

/** An operation, and what its run must cover to count as good. */
export type Wanted = Pick<Operation, 'name' | 'job' | 'operation'> & { covers?: string };

export interface FoundRuns {
  last?: RunRow;
  newestGood?: RunRow;
}

/** The list is sorted by end; a long run may end after a shorter one that holds a newer state. */
const newerGood = (known: RunRow | undefined, row: RunRow): RunRow =>
  known && pointOf(known) >= pointOf(row) ? known : row;

/** A copy holds nothing from after its run: a host whose clock runs ahead would else look well backed up for as long as it does. */
const pointOf = ({ restorePoint, closedAt, startedAt }: RunRow): number =>
  Math.min((restorePoint ?? closedAt ?? startedAt).getTime(), (closedAt ?? startedAt).getTime());
