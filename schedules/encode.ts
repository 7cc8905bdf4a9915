import type { CalendarSpec, ScheduleOptions } from '@temporalio/client';
import { DAYS_OF_WEEK, MONTHS } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import { defineSearchAttributeKey } from '@temporalio/common';
import { type BoundedField, isFull, rangesOf } from './calendars.js';
import type { Calendar, CompiledRun, DesiredSchedule } from './types.js';

/** From plain data to what the SDK takes. Everything is sent each time: what an update leaves out is reset to a default. */

/** All but the id and the state, which belong to nobody's configuration. */
export type EncodedSchedule = Omit<ScheduleOptions, 'scheduleId' | 'state' | 'memo' | 'action'> & {
  action: ScheduleOptions['action'] & { workflowId: string };
};

export function encodeSchedule(desired: DesiredSchedule): EncodedSchedule {
  const comment = desired.cron.length <= mostCommentCharacters ? desired.cron : undefined;
  return {
    spec: {
      calendars: desired.calendars.map((calendar) => ({ ...encodeCalendar(calendar), comment })),
      intervals: [],
      skip: [],
      jitter: desired.jitterMs,
      timezone: desired.timezone,
    },
    policies: {
      overlap: desired.overlap === 'skip' ? 'SKIP' : 'BUFFER_ONE',
      catchupWindow: desired.catchupMs,
      // A paused schedule is a silent stop: an alarm is for failures.
      pauseOnFailure: false,
    },
    action: encodeAction(desired.action),
    typedSearchAttributes: encodeSearchAttributes(desired.action.searchAttributes),
  };
}

/** The server refuses longer ones. */
const mostCommentCharacters = 200;

function encodeAction(run: CompiledRun): EncodedSchedule['action'] {
  return {
    type: 'startWorkflow',
    workflowType: run.workflowType,
    workflowId: run.name,
    args: run.args,
    taskQueue: run.taskQueue,
    memo: run.memo,
    typedSearchAttributes: encodeSearchAttributes(run.searchAttributes),
    workflowExecutionTimeout: run.executionTimeoutMs,
    staticSummary: run.staticSummary,
    staticDetails: run.staticDetails,
  };
}

/** The SDK's own form; `run` starts its workflows with the same. */
export function encodeSearchAttributes(attributes: CompiledRun['searchAttributes']): SearchAttributePair[] {
  return Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [{ key: defineSearchAttributeKey(name, 'KEYWORD'), value }],
  );
}

function encodeCalendar(calendar: Calendar): CalendarSpec {
  return {
    second: encodeField('second', calendar.second, (second) => second),
    minute: encodeField('minute', calendar.minute, (minute) => minute),
    hour: encodeField('hour', calendar.hour, (hour) => hour),
    dayOfMonth: encodeField('dayOfMonth', calendar.dayOfMonth, (day) => day),
    month: encodeField('month', calendar.month, (month) => nameOf(MONTHS, month - 1)),
    dayOfWeek: encodeField('dayOfWeek', calendar.dayOfWeek, (day) => nameOf(DAYS_OF_WEEK, day)),
    year: '*',
  };
}

/** Both ends, always: SDK 1.24 sends `{ start: 0 }` as 0 to 1. */
function encodeField<Unit>(field: BoundedField, values: readonly number[], toUnit: (value: number) => Unit) {
  if (isFull(field, values)) return '*' as const;
  return rangesOf(values).map(({ start, end }) =>
    start === end ? toUnit(start) : { start: toUnit(start), end: toUnit(end), step: 1 },
  );
}

function nameOf<Name>(names: readonly Name[], index: number): Name {
  const name = names[index];
  if (name === undefined) throw new RangeError(`no name for number ${index}`);
  return name;
}
