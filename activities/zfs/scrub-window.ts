/** Hours of the day in which a scrub may work. Pure. */

interface Window {
  fromMinute: number;
  toMinute: number;
}

const dayMinutes = 24 * 60;

function windowOf(text: string): Window {
  const [from = '', to = ''] = text.split('-');
  const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
  return { fromMinute: minuteOf(from), toMinute: minuteOf(to) };
}

/** How long until the window opens; 0 while it is open, and always when there is none. Milliseconds. */
export function untilOpenMs(window: string | undefined, timezone: string, now: Date): number {
  if (window === undefined) return 0;
  const { fromMinute, toMinute } = windowOf(window);
  const minute = localMinute(timezone, now);
  const sinceOpen = (minute - fromMinute + dayMinutes) % dayMinutes;
  const length = (toMinute - fromMinute + dayMinutes) % dayMinutes;
  // The same time twice is the whole day.
  if (length === 0 || sinceOpen < length) return 0;
  return (dayMinutes - sinceOpen) * 60_000 - (now.getTime() % 60_000);
}

/** How long it stays open: 0 while it is closed, undefined when it never closes. Milliseconds. */
export function untilClosedMs(window: string | undefined, timezone: string, now: Date): number | undefined {
  if (window === undefined) return undefined;
  const { fromMinute, toMinute } = windowOf(window);
  if (fromMinute === toMinute) return undefined;
  if (untilOpenMs(window, timezone, now) > 0) return 0;
  const minutes = (toMinute - localMinute(timezone, now) + dayMinutes) % dayMinutes;
  const leftMs = minutes * 60_000 - (now.getTime() % 60_000);
  // The clock may be changed before: then the end is an hour nearer or farther, unless it is skipped itself.
  const offMinutes = localMinute(timezone, new Date(now.getTime() + leftMs)) - toMinute;
  const shiftMs = (((offMinutes + 1.5 * dayMinutes) % dayMinutes) - dayMinutes / 2) * 60_000;
  const end = localMinute(timezone, new Date(now.getTime() + leftMs - shiftMs));
  return end === toMinute % dayMinutes ? leftMs - shiftMs : leftMs;
}

function localMinute(timezone: string, now: Date): number {
  const text = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, timeStyle: 'short' }).format(now);
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}
