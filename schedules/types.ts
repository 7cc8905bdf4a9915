import type { JobInput } from '../contracts/jobs.js';
import type { SearchAttributeName } from '../contracts/names.js';

/** Plain data on both sides of the comparison: what should be, and what is. */

/** One set of times, spelled out in numbers. Sorted, without doubles; `year: []` is every year, Sunday is 0. */
export interface Calendar {
  second: number[];
  minute: number[];
  hour: number[];
  dayOfMonth: number[];
  month: number[];
  dayOfWeek: number[];
  year: number[];
}

/** How one run of one operation is started, by a schedule or by hand. */
export interface CompiledRun {
  workflowType: string;
  /** The operation's name: a workflow id is this and a time. */
  name: string;
  args: [JobInput];
  taskQueue: string;
  searchAttributes: Partial<Record<SearchAttributeName, string>>;
  memo: Record<string, unknown>;
  /** One line, at most 200 bytes (the server's limit). */
  staticSummary: string;
  /** Markdown. */
  staticDetails: string;
  /** With overlap "skip" a run that never ends would drop all later ones without a word. */
  executionTimeoutMs: number;
}

/** An action as the server has it: nothing can be taken for granted, because anyone may have edited it. */
export interface Action extends Omit<CompiledRun, 'args'> {
  args: unknown[];
}

/** The part of a schedule that the configuration decides. */
export interface ScheduleSpec {
  id: string;
  /** The times as cron text, for people: `calendars` is what is compared. */
  cron: string;
  /** The times are the union of these. */
  calendars: Calendar[];
  timezone: string;
  jitterMs: number;
  catchupMs: number;
  /** "skip", "buffer-one", or in words what someone else has set. */
  overlap: string;
  action: Action;
  /** Settings that we never make (intervals, an end, pause on failure), in words; each is taken away again. */
  extras: string[];
}

export interface DesiredSchedule extends ScheduleSpec {
  overlap: 'skip' | 'buffer-one';
  action: CompiledRun;
}

export interface ObservedSchedule extends ScheduleSpec {
  /** What `apply` has left in the action's memo; absent when another hand has replaced the action. */
  mark?: Mark;
  paused: boolean;
  note: string;
  /** Absent means without limit. */
  remainingActions?: number;
  /** ISO 8601 UTC, the nearest first. */
  nextActionTimes: string[];
  /** The newest last. */
  recentActions: TakenAction[];
  runningRuns: string[];
  numActionsSkippedOverlap: number;
  /** Starts that fell outside the catch-up window. */
  numActionsMissed: number;
}

export interface TakenAction {
  run: string;
  scheduledAt: string;
  takenAt: string;
}

/** A digest of the spec as we applied it: tells an edit by hand from a changed configuration. */
export interface Mark {
  specHash: string;
  /** Of the form that is hashed: a newer Holdfast must not take its own older schedules for edited ones. */
  formatVersion: number;
}
