import { createHash } from 'node:crypto';
import { normaliseCalendars } from './calendars.js';
import type { Mark, ScheduleSpec } from './types.js';

/** Raise it whenever `comparable` changes its form. */
const formatVersion = 1;

/** Exactly what is compared: no text that only people read, no mark, and no difference between absent and undefined. */
export function comparable(spec: ScheduleSpec): unknown {
  const { memo, ...action } = spec.action;
  const { holdfast: _mark, ...ownMemo } = memo;
  return sortKeys({
    calendars: normaliseCalendars(spec.calendars),
    timezone: spec.timezone,
    jitterMs: spec.jitterMs,
    catchupMs: spec.catchupMs,
    overlap: spec.overlap,
    action: { ...action, memo: ownMemo },
    extras: spec.extras,
  });
}

/** Text that is the same for two values that mean the same. */
export const canonical = (value: unknown): string => JSON.stringify(sortKeys(value)) ?? '';

/** What goes into the action's memo: a schedule's own memo cannot be changed after its creation. */
export function markOf(spec: ScheduleSpec): Mark {
  return {
    specHash: createHash('sha256')
      .update(canonical(comparable(spec)))
      .digest('hex'),
    formatVersion,
  };
}

/** Whether a mark was left by this form of Holdfast. */
export const isOurFormat = (mark: Mark): boolean => mark.formatVersion === formatVersion;

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, sortKeys(entry)]),
  );
}
