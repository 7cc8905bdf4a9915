import { parseCron } from '../config/cron.js';
import type { Calendar } from './types.js';

/** Times as sets of numbers: from cron, back to text, and compared without regard to how they were written. */

const bounds = {
  second: [0, 59],
  minute: [0, 59],
  hour: [0, 23],
  dayOfMonth: [1, 31],
  month: [1, 12],
  dayOfWeek: [0, 6],
} as const;
export type BoundedField = keyof typeof bounds;

const sorted = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);

const everyDay = (field: 'dayOfMonth' | 'dayOfWeek'): number[] => {
  const [first, last] = bounds[field];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
};

/** Cron joins its two day fields with OR, a calendar with AND: when both are restricted it takes two calendars. */
export function calendarsOf(cron: string): Calendar[] {
  const parsed = parseCron(cron);
  const base: Calendar = {
    second: [0],
    minute: sorted(parsed.minute),
    hour: sorted(parsed.hour),
    dayOfMonth: sorted(parsed.dayOfMonth),
    month: sorted(parsed.month),
    dayOfWeek: sorted(parsed.dayOfWeek),
    year: [],
  };
  if (!parsed.dayOfMonthRestricted || !parsed.dayOfWeekRestricted) return [base];
  return [
    { ...base, dayOfWeek: everyDay('dayOfWeek') },
    { ...base, dayOfMonth: everyDay('dayOfMonth') },
  ];
}

/** The server may hand calendars and numbers back in another order. */
export function normaliseCalendars(calendars: readonly Calendar[]): Calendar[] {
  const normal = calendars.map(({ second, minute, hour, dayOfMonth, month, dayOfWeek, year }) => ({
    second: sorted(second),
    minute: sorted(minute),
    hour: sorted(hour),
    dayOfMonth: sorted(dayOfMonth),
    month: sorted(month),
    dayOfWeek: sorted(dayOfWeek),
    year: sorted(year),
  }));
  return normal.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

export const sameCalendars = (one: readonly Calendar[], other: readonly Calendar[]): boolean =>
  JSON.stringify(normaliseCalendars(one)) === JSON.stringify(normaliseCalendars(other));

/** `start` and `end` are both always given: a range without an end is sent wrongly by SDK 1.24. */
export interface NumberRange {
  start: number;
  end: number;
}

/** [1,2,3,7] -> 1-3, 7-7. */
export function rangesOf(values: readonly number[]): NumberRange[] {
  const ranges: NumberRange[] = [];
  for (const value of sorted(values)) {
    const last = ranges.at(-1);
    if (last && value === last.end + 1) last.end = value;
    else ranges.push({ start: value, end: value });
  }
  return ranges;
}

/** True when the set leaves nothing out, so that "*" says the same. */
export function isFull(field: BoundedField, values: readonly number[]): boolean {
  const [first, last] = bounds[field];
  const [range, ...more] = rangesOf(values);
  return range !== undefined && more.length === 0 && range.start === first && range.end === last;
}

const numbersText = (values: readonly number[]): string =>
  rangesOf(values)
    .map(({ start, end }) => (start === end ? `${start}` : `${start}-${end}`))
    .join(',');

const fieldText = (field: BoundedField, values: readonly number[]): string =>
  isFull(field, values) ? '*' : numbersText(values);

const cronFields = ['minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;

function calendarText(calendar: Calendar): string {
  const text = cronFields.map((field) => fieldText(field, calendar[field])).join(' ');
  const onTheMinute = calendar.second.length === 1 && calendar.second[0] === 0;
  const seconds = onTheMinute ? '' : ` at second ${fieldText('second', calendar.second)}`;
  return `${text}${seconds}${calendar.year.length > 0 ? ` in ${numbersText(calendar.year)}` : ''}`;
}

/** The comment holds the cron text as it was written; it is believed only while it says what the calendars say. */
export function cronText(calendars: readonly Calendar[], comment: string | undefined): string {
  if (comment && saysTheSame(comment, calendars)) return comment;
  return calendars.map(calendarText).join(' and ');
}

function saysTheSame(comment: string, calendars: readonly Calendar[]): boolean {
  try {
    return sameCalendars(calendarsOf(comment), calendars);
  } catch {
    return false; // a comment of someone else's
  }
}
