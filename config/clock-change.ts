import { type CronFields, dayFits } from './cron.js';

/** Times that the clocks of a zone pass over when summer time begins. The server starts nothing at such a time, not even later. */

interface Gap {
  /** Midnight UTC of the date that the clocks of the zone show. */
  day: Date;
  /** Minutes since midnight: the first that is passed over, and the first that is there again. */
  from: number;
  to: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const months12Hours = 366 * 24;

const known = new Map<string, Gap[]>();

/** Of the next twelve months. */
function gapsOf(zone: string, now: Date): Gap[] {
  const start = Math.floor(now.getTime() / (24 * hourMs)) * 24 * hourMs;
  const key = `${zone} ${start}`;
  const found = known.get(key) ?? findGaps(zone, start);
  known.set(key, found);
  return found;
}

function findGaps(zone: string, start: number): Gap[] {
  const offsetMs = offsetsOf(zone);
  const gaps: Gap[] = [];
  let before = offsetMs(start);
  // Days first: there are at most a few changes in a year, and each is then found to the half hour.
  for (let hour = 24; hour <= months12Hours; hour += 24) {
    const after = offsetMs(start + hour * hourMs);
    if (after > before) gaps.push(gapBetween(offsetMs, start + (hour - 24) * hourMs, after - before));
    before = after;
  }
  return gaps;
}

function gapBetween(offsetMs: (at: number) => number, from: number, lengthMs: number): Gap {
  const before = offsetMs(from);
  let at = from;
  while (offsetMs(at) === before) at += 30 * minuteMs;
  const local = new Date(at + before);
  const day = new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()));
  const minute = (local.getTime() - day.getTime()) / minuteMs;
  return { day, from: minute, to: minute + lengthMs / minuteMs };
}

function offsetsOf(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (at) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute) - at;
  };
}

/** The first start that is passed over, in words; undefined for a line with several starts a day, which loses one of many. */
export function lostStart(cron: CronFields, zone: string, now: Date): string | undefined {
  const [hour, minute] = [[...cron.hour], [...cron.minute]];
  if (hour.length * minute.length !== 1) return undefined;
  const time = (hour[0] ?? 0) * 60 + (minute[0] ?? 0);
  const gap = gapsOf(zone, now).find(({ day, from, to }) => time >= from && time < to && dayFits(cron, day));
  if (!gap) return undefined;
  const day = gap.day.toISOString().slice(0, 10);
  return `on ${day} the clocks of ${zone} go from ${clock(gap.from)} to ${clock(gap.to)}: ${clock(time)} is passed over, and nothing starts until the next time`;
}

const clock = (minutes: number): string =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
