/** Times and lengths of time in words; always with the zone, because hosts stand in several. */

const units: readonly [name: string, seconds: number][] = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
];

/** "7 h", "3 d": the one unit that matters when something is judged by its age. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  const [name, size] = units.find(([name, size]) => seconds >= (name === 'd' ? 2 * size : size)) ?? ['s', 1];
  return `${Math.floor(seconds / size)} ${name}`;
}

/** "1 h 05 min", "42 s": two units, for how long something took. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const index = Math.max(
    0,
    units.findIndex(([, size]) => seconds >= size),
  );
  const [name, size] = seconds === 0 ? (['s', 1] as const) : (units[index] ?? (['s', 1] as const));
  const next = seconds === 0 ? undefined : units[index + 1];
  const rest = next && Math.floor((seconds % size) / next[1]);
  const whole = `${Math.floor(seconds / size)} ${name}`;
  return next && rest ? `${whole} ${String(rest).padStart(2, '0')} ${next[0]}` : whole;
}

/** The zone's name as people say it, for example Europe/Berlin. */
export const localZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** "2026-11-20 04:30:00" in the zone of this machine; the zone is named once per table, by the caller. */
export const localTime = (time: Date): string =>
  `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} ${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;

/** "2026-11-20 04:30:00 CET": for a single time in a sentence. */
export function localTimeWithZone(time: Date): string {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(time);
  const zone = parts.find((part) => part.type === 'timeZoneName')?.value ?? localZone();
  return `${localTime(time)} ${zone}`;
}

const localForm = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?$/;
const zonedForm = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})$/;

/**
 * What an operator types for --at: local time of this machine, or ISO 8601 with a zone. A day alone is its last second,
 * because "as of the 19th" includes the 19th. Undefined when it is no time at all (the 30th of February is none).
 */
export function parseTime(text: string): Date | undefined {
  const trimmed = text.trim();
  if (zonedForm.test(trimmed)) {
    // JavaScript makes the 2nd of March of a 30th of February.
    if (parseTime(trimmed.slice(0, 10)) === undefined) return undefined;
    return valid(new Date(trimmed.replace(' ', 'T').replace(/\s/, '')));
  }
  const match = localForm.exec(trimmed);
  if (!match) return undefined;
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number];
  const wholeDay = match[4] === undefined;
  const [hour, minute, second] = wholeDay
    ? [23, 59, 59]
    : [Number(match[4]), Number(match[5]), Number(match[6] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const time = new Date(year, month - 1, day, hour, minute, second);
  return time.getMonth() === month - 1 && time.getDate() === day ? valid(time) : undefined;
}

const valid = (time: Date): Date | undefined => (Number.isNaN(time.getTime()) ? undefined : time);
