import type { CalendarSpecDescription, ScheduleDescription } from '@temporalio/client';
import { DAYS_OF_WEEK, MONTHS } from '@temporalio/client';
import { cronText } from './calendars.js';
import type { Action, Calendar, ScheduleSpec } from './types.js';
import { durationWords } from './words.js';

/** From what the SDK hands back to plain data that compares. */

interface DescribedRange<Unit> {
  start: Unit;
  end: Unit;
  step: number;
}

/** The part of a described schedule that a configuration decides. */
export function decodeSpec(description: ScheduleDescription): ScheduleSpec {
  const { spec, policies } = description;
  const calendars = (spec.calendars ?? []).map(decodeCalendar);
  return {
    id: description.scheduleId,
    cron: cronText(calendars, spec.calendars?.[0]?.comment),
    calendars,
    timezone: spec.timezone || 'UTC',
    jitterMs: spec.jitter ?? 0,
    catchupMs: policies.catchupWindow,
    overlap: (policies.overlap ?? 'SKIP').toLowerCase().replaceAll('_', '-'),
    action: decodeAction(description),
    extras: [...extraTimes(description), ...extraSettings(description)],
  };
}

function decodeCalendar(calendar: CalendarSpecDescription): Calendar {
  return {
    second: expand(calendar.second, Number),
    minute: expand(calendar.minute, Number),
    hour: expand(calendar.hour, Number),
    dayOfMonth: expand(calendar.dayOfMonth, Number),
    month: expand(calendar.month, (month) => MONTHS.indexOf(month) + 1),
    dayOfWeek: expand(calendar.dayOfWeek, (day) => DAYS_OF_WEEK.indexOf(day)),
    year: expand(calendar.year, Number),
  };
}

function expand<Unit>(ranges: readonly DescribedRange<Unit>[], toNumber: (unit: Unit) => number): number[] {
  const values = ranges.flatMap(({ start, end, step }) => {
    const first = toNumber(start);
    const count = Math.floor((toNumber(end) - first) / step) + 1;
    return Array.from({ length: count }, (_, index) => first + index * step);
  });
  return [...new Set(values)].sort((a, b) => a - b);
}

function decodeAction({ action }: ScheduleDescription): Action {
  const attributes = action.typedSearchAttributes;
  const pairs = Array.isArray(attributes) ? attributes : (attributes?.getAll() ?? []);
  return {
    workflowType: action.workflowType,
    name: action.workflowId,
    args: [...(action.args ?? [])],
    taskQueue: action.taskQueue,
    searchAttributes: Object.fromEntries(pairs.map(({ key, value }) => [key.name, String(value)])),
    memo: action.memo ?? {},
    staticSummary: action.staticSummary ?? '',
    staticDetails: action.staticDetails ?? '',
    executionTimeoutMs: Number(action.workflowExecutionTimeout ?? 0),
  };
}

function extraTimes({ spec }: ScheduleDescription): string[] {
  const intervals = (spec.intervals ?? []).map(
    ({ every, offset }) =>
      `every ${durationWords(every)}${offset ? ` from ${durationWords(offset)} on` : ''}`,
  );
  const skips = (spec.skip ?? []).map(
    (calendar) => `skips ${cronText([decodeCalendar(calendar)], undefined)}`,
  );
  const start = spec.startAt ? [`starts at ${spec.startAt.toISOString()}`] : [];
  const end = spec.endAt ? [`ends at ${spec.endAt.toISOString()}`] : [];
  return [...intervals, ...skips, ...start, ...end];
}

function extraSettings({ action, policies }: ScheduleDescription): string[] {
  const extras: [boolean, string][] = [
    [policies.pauseOnFailure, 'pauses on failure'],
    [action.retry !== undefined, 'retries the whole run'],
    [Boolean(action.workflowRunTimeout), `run timeout ${durationWords(Number(action.workflowRunTimeout))}`],
    [
      Boolean(action.workflowTaskTimeout),
      `task timeout ${durationWords(Number(action.workflowTaskTimeout))}`,
    ],
    [Object.values(action.priority ?? {}).some(Boolean), `priority ${JSON.stringify(action.priority)}`],
  ];
  return extras.filter(([present]) => present).map(([, words]) => words);
}
