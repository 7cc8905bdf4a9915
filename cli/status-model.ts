import type { Operation, OperationKind } from '../config/lookup.js';
import type { ReplicaLag } from '../contracts/replication.js';
import type { SilentChannel } from './silent-channels.js';
import { isStalled, type Seeding } from './status-seeding.js';
import type { RunRow } from './visibility.js';

/** What is known of one operation, before it is judged. */
export interface OperationFacts {
  operation: Operation;
  objectiveMs?: number;
  /** Absent when Temporal has no schedule of it. */
  schedule?: ScheduleFacts;
  /** The newest run that did what it promises; of several that cover one part each, the one with the oldest state. */
  newestGood?: RunRow;
  /** The same of those parts alone that have any; only while a first upload goes on. */
  someGood?: RunRow;
  /** The newest run that has ended, however. */
  last?: RunRow;
  running?: RunRow;
  /** What the running one waits for or fails at. */
  waiting?: string;
  /** The stores whose first upload is not finished; absent when there is none. */
  seeding?: readonly Seeding[];
  /** Retention in stores that delete nothing. */
  appendOnly?: boolean;
  failedOver?: FailedOver;
  /** Hosts of it that are known to be away now; `nothingLeft` when no part of it can be done without them. */
  away?: { words: string[]; nothingLeft: boolean };
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
  /** What it starts. */
  workflowType?: string;
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
  /** "by hand": the file gives it no schedule; "not applied": it does, but Temporal has none; "not in the file": Temporal still has one. */
  schedule: 'active' | 'paused' | 'not applied' | 'by hand' | 'not in the file';
  note: string;
  running?: string;
  runningSince?: Date;
  waiting?: string;
  /** Absent when no first upload is open. */
  seeding?: readonly Seeding[];
  /** A run of it that ended well has removed nothing. */
  appendOnly?: boolean;
  /** Which hosts are away, until when and why; what is judged is what is left without them. */
  away?: string[];
  /** What the last run has found out about its thing. */
  finding?: string;
  failedOver?: FailedOver;
  /** Of one replication: how far its datasets were behind. */
  replicas?: ReplicaLag[];
  /** Channels that should tell of the job, and do not. */
  silent?: SilentChannel[];
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

/** Of arrays that are synced when enough has changed: a run that found too little has done all that was asked of it. */
const wasNotDue = ({ operation, state, restorePoint }: RunRow): boolean =>
  operation === 'sync' && state === 'ok' && restorePoint === undefined;

/** No promise is broken yet, and all is not well. */
const isUnsettled = ({ seeding, failedOver }: OperationFacts): boolean =>
  seeding !== undefined || failedOver !== undefined;

/** What a first upload does not bring yet is judged by that; everything else by its age as always. */
function goodOf(
  { newestGood, someGood, seeding }: OperationFacts,
  now: Date,
): Pick<StatusRow, 'goodRun' | 'goodAt' | 'ageMs'> {
  const good = newestGood ?? (seeding && someGood);
  if (!good) return {};
  const goodAt = new Date(pointOf(good));
  return { goodRun: good.run, goodAt, ageMs: Math.max(0, now.getTime() - goodAt.getTime()) };
}

/** Judges one operation. Pure, so that every colour has a test. */
export function statusRow(facts: OperationFacts, now: Date): StatusRow {
  const { operation, objectiveMs, last, running, seeding } = facts;
  const good = goodOf(facts, now);
  const { ageMs } = good;
  const nothingLeft = facts.away?.nothingLeft === true;
  const overdue = !nothingLeft && isOverdue(facts, ageMs, now);
  return {
    name: operation.name,
    job: operation.job,
    operation: operation.operation,
    level: levelOf(facts, { ageMs, overdue, nothingLeft }),
    overdue,
    ...good,
    ...(objectiveMs !== undefined && { objectiveMs }),
    ...(last && { lastRun: last.run, lastState: last.state, lastAt: last.closedAt }),
    ...(facts.schedule?.next && !facts.schedule.paused && { next: facts.schedule.next }),
    schedule: scheduleWord(facts),
    note: facts.schedule?.note ?? '',
    ...(running && { running: running.run, runningSince: running.startedAt }),
    ...(facts.waiting && { waiting: facts.waiting }),
    ...(seeding && { seeding }),
    ...(facts.appendOnly && { appendOnly: true }),
    ...(facts.away && { away: facts.away.words }),
    ...(last?.finding && { finding: last.finding }),
    ...(facts.failedOver && { failedOver: facts.failedOver }),
  };
}

/** Where the first copy is under way there is no age: what counts is that it moves. */
function isOverdue({ objectiveMs, seeding }: OperationFacts, ageMs: number | undefined, now: Date): boolean {
  const tooOld = objectiveMs !== undefined && ageMs !== undefined && ageMs > objectiveMs;
  if (seeding) return tooOld || seeding.some((upload) => isStalled(upload, now));
  return tooOld || (objectiveMs !== undefined && ageMs === undefined);
}

function levelOf(
  facts: OperationFacts,
  { ageMs, overdue, nothingLeft }: { ageMs: number | undefined; overdue: boolean; nothingLeft: boolean },
): Level {
  const { objectiveMs, last } = facts;
  if (overdue) return 'red';
  if (isUnsettled(facts)) return 'yellow';
  if (nothingLeft) return 'none';
  const endedBadly = last !== undefined && !isGood(last) && !wasNotDue(last);
  if (endedBadly || last?.state === 'warnings') return 'yellow';
  if (objectiveMs === undefined || ageMs === undefined) return 'none';
  return ageMs > nearlyOverdue * objectiveMs ? 'yellow' : 'green';
}

function scheduleWord({ operation, schedule }: OperationFacts): StatusRow['schedule'] {
  if (!schedule) return operation.schedule ? 'not applied' : 'by hand';
  if (!operation.schedule) return 'not in the file';
  return schedule.paused ? 'paused' : 'active';
}

/** A copy holds nothing from after its run: a host whose clock runs ahead would else look well backed up for as long as it does. */
export const pointOf = ({ restorePoint, closedAt, startedAt }: RunRow): number =>
  Math.min((restorePoint ?? closedAt ?? startedAt).getTime(), (closedAt ?? startedAt).getTime());
