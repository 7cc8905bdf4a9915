import { CronExpressionParser } from 'cron-parser';

/** Cron lines as sets of numbers: what the mistakes are checked with, and what schedules make calendars of. */

/**
 * A moment fits when its minute, hour and month are in the sets and its day fits. The day fits when it is in both day
 * sets; but when both are restricted it fits when it is in either, as in every cron since Vixie's.
 */
export interface CronFields {
  /** 0-59 */
  minute: ReadonlySet<number>;
  /** 0-23 */
  hour: ReadonlySet<number>;
  /** 1-31 */
  dayOfMonth: ReadonlySet<number>;
  /** 1-12 */
  month: ReadonlySet<number>;
  /** 0-6, Sunday is 0 */
  dayOfWeek: ReadonlySet<number>;
  /** False when the field begins with `*`, also as in `*`+`/2`: its set may then still be smaller than "every". */
  dayOfMonthRestricted: boolean;
  dayOfWeekRestricted: boolean;
}

const macros: Record<string, string> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};
const months = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
const days = 'sun|mon|tue|wed|thu|fri|sat';

/** Field by field: what it is called, how far a step may reach, and which words it may hold. */
const fieldForms = [
  { name: 'minute', span: 60, words: '' },
  { name: 'hour', span: 24, words: '' },
  { name: 'day of month', span: 31, words: '' },
  { name: 'month', span: 12, words: months },
  { name: 'day of week', span: 7, words: days },
] as const;

function fieldMistake(field: string, at: number): string | undefined {
  const { name, span, words } = fieldForms[at] ?? { name: '', span: 0, words: '' };
  const value = words === '' ? '\\d{1,2}' : `(?:\\d{1,2}|${words})`;
  const item = `(?:\\*|${value}(?:-${value})?)(?:/(\\d{1,2}))?`;
  if (!new RegExp(`^${item}(?:,${item})*$`, 'i').test(field)) {
    return `the ${name} must be made of numbers${words && ', names'}, "*", "-", "," and "/"`;
  }
  const step = [...field.matchAll(/\/(\d+)/g)].find(
    ([, digits]) => Number(digits) >= span || Number(digits) < 1,
  );
  return step
    ? `the ${name} has a step of ${step[1]}: it must be 1 to ${span - 1}, and starts anew each time`
    : undefined;
}

/** cron-parser refuses a list with one value twice, as in "0,7" for Sunday; cron does not. */
function withoutRepeats(field: string, at: number): string {
  const items = field.split(',').map((item) => (at === 4 && item === '7' ? '0' : item));
  return [...new Set(items)].join(',');
}

/** A file with hundreds of jobs has few different lines, and each is asked for several times. */
const known = new Map<string, CronFields>();

/** Throws an Error whose message says what is wrong with the line, in words that go on after the key. */
export function parseCron(text: string): CronFields {
  const found = known.get(text) ?? parseLine(text);
  known.set(text, found);
  return found;
}

function parseLine(text: string): CronFields {
  const line = text.trim();
  const expanded = line.startsWith('@') ? macros[line.toLowerCase()] : line;
  if (expanded === undefined)
    throw new Error(`does not know this macro; known: ${Object.keys(macros).join(', ')}`);
  const fields = expanded.split(/\s+/);
  if (fields.length === 6) throw new Error('has six fields; there is no field for seconds here');
  if (fields.length !== 5)
    throw new Error('must have five fields: minute, hour, day of month, month, day of week');
  const mistake = fields.map(fieldMistake).find((found) => found !== undefined);
  if (mistake) throw new Error(mistake);
  return readFields(fields);
}

/** The same as a question. */
export function cronMistake(text: string): string | undefined {
  try {
    parseCron(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function readFields(fields: string[]): CronFields {
  const parsed = parseWithLibrary(fields.map(withoutRepeats).join(' '));
  return {
    minute: new Set(parsed.minute.values),
    hour: new Set(parsed.hour.values),
    dayOfMonth: new Set(parsed.dayOfMonth.values.map(Number)),
    month: new Set(parsed.month.values),
    dayOfWeek: new Set(parsed.dayOfWeek.values.map((day) => Number(day) % 7)),
    dayOfMonthRestricted: !fields[2]?.startsWith('*'),
    dayOfWeekRestricted: !fields[4]?.startsWith('*'),
  };
}

function parseWithLibrary(line: string) {
  try {
    return CronExpressionParser.parse(line).fields;
  } catch (error) {
    throw new Error(libraryWords(error instanceof Error ? error.message : ''));
  }
}

function libraryWords(message: string): string {
  if (/explicit day of month/.test(message)) return 'names a day that none of its months has';
  const range = /got value (\d+) expected range (\d+-\d+)/.exec(message);
  if (range) return `holds ${range[1]} where only ${range[2]} is possible`;
  const backwards = /Invalid range: (\d+-\d+)/.exec(message);
  if (backwards) return `has the range ${backwards[1]}, which runs backwards`;
  return 'is not a cron line: minute, hour, day of month, month, day of week';
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** The calendar of days and weekdays repeats after 28 years, as long as no century without a leap day comes between. */
const cycle = { from: Date.UTC(2001, 0, 1), days: 28 * 365 + 7 };

type DayFields = Omit<CronFields, 'minute' | 'hour'>;

/** Ten thousand days are looked at for each new rule; in an estate most jobs share one, "every day". */
const knownDays = new Map<string, readonly number[]>();

/** Every day of the cycle on which the line starts something. */
function fittingDays(cron: DayFields): readonly number[] {
  const { dayOfMonth, month, dayOfWeek, dayOfMonthRestricted, dayOfWeekRestricted } = cron;
  const key = JSON.stringify([
    ...[dayOfMonth, month, dayOfWeek].map((numbers) => [...numbers].sort((a, b) => a - b)),
    dayOfMonthRestricted,
    dayOfWeekRestricted,
  ]);
  const known = knownDays.get(key);
  if (known) return known;
  const starts = Array.from({ length: cycle.days }, (_, day) => cycle.from + day * dayMs);
  const days = starts.filter((start) => dayFits(cron, new Date(start)));
  knownDays.set(key, days);
  return days;
}

/** `day` is midnight UTC of that date. */
export function dayFits(cron: DayFields, day: Date): boolean {
  if (!cron.month.has(day.getUTCMonth() + 1)) return false;
  const inMonth = cron.dayOfMonth.has(day.getUTCDate());
  const inWeek = cron.dayOfWeek.has(day.getUTCDay());
  return cron.dayOfMonthRestricted && cron.dayOfWeekRestricted ? inMonth || inWeek : inMonth && inWeek;
}

/** How the starts of a cron line lie apart, by the wall clock: a change to summer time is not counted. */
export interface CronIntervals {
  smallestMs: number;
  largestMs: number;
  meanMs: number;
}

/** A line that starts less than twice in 28 years has no intervals: all three are Infinity. */
export function cronIntervals(cron: CronFields): CronIntervals {
  const times = [...cron.hour]
    .flatMap((hour) => [...cron.minute].map((minute) => (hour * 60 + minute) * minuteMs))
    .sort((a, b) => a - b);
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const days = fittingDays(cron);
  const within = times.slice(1).map((time, at) => time - (times[at] ?? 0));
  const between = [...new Set(days.slice(1).map((day, at) => day - (days[at] ?? 0)))].map(
    (gap) => gap - last + first,
  );
  const all = [...within, ...between];
  const starts = days.length * times.length;
  if (all.length === 0 || starts < 2) return { smallestMs: Infinity, largestMs: Infinity, meanMs: Infinity };
  return {
    smallestMs: Math.min(...all),
    largestMs: Math.max(...all),
    meanMs: (cycle.days * dayMs) / starts,
  };
}

/** The shortest time between two starts. Milliseconds. */
export const smallestIntervalMs = (cron: CronFields): number => cronIntervals(cron).smallestMs;
