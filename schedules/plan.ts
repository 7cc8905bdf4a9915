import { differences, type FieldChange } from './difference.js';
import { isOurFormat, markOf } from './fingerprint.js';
import type { DesiredSchedule, ObservedSchedule } from './types.js';

/** What would have to happen to one schedule. Plain data: `plan --json` shows it as it is. */
export type ScheduleChange =
  | { kind: 'add'; id: string; desired: DesiredSchedule }
  | ScheduleUpdate
  | { kind: 'orphan'; id: string; observed: ObservedSchedule }
  | { kind: 'same'; id: string; desired: DesiredSchedule; observed: ObservedSchedule };

export interface ScheduleUpdate {
  /** `edited`: another hand than ours was on it since it was applied, whether or not the configuration changed too. */
  kind: 'change' | 'edited';
  id: string;
  /** Empty when only our mark is missing. */
  fields: FieldChange[];
  desired: DesiredSchedule;
  observed: ObservedSchedule;
}

/** One entry for each schedule on either side, by id. */
export function planSchedules(
  desired: readonly DesiredSchedule[],
  observed: readonly ObservedSchedule[],
): ScheduleChange[] {
  const existing = new Map(observed.map((schedule) => [schedule.id, schedule]));
  const wanted = new Set(desired.map(({ id }) => id));
  const changes = desired.map((schedule): ScheduleChange => {
    const found = existing.get(schedule.id);
    return found ? compare(schedule, found) : { kind: 'add', id: schedule.id, desired: schedule };
  });
  const orphans = observed
    .filter(({ id }) => !wanted.has(id))
    .map((schedule): ScheduleChange => ({ kind: 'orphan', id: schedule.id, observed: schedule }));
  return [...changes, ...orphans].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function compare(desired: DesiredSchedule, observed: ObservedSchedule): ScheduleChange {
  const { id } = desired;
  const fields = differences(observed, desired);
  if (wasEdited(observed)) return { kind: 'edited', id, fields, desired, observed };
  const marked = markOf(desired).specHash === observed.mark?.specHash;
  if (fields.length === 0 && marked) return { kind: 'same', id, desired, observed };
  return { kind: 'change', id, fields, desired, observed };
}

/** It was edited when it is not what our mark says that we made; a mark in an older form can say nothing of that. */
export function wasEdited(observed: ObservedSchedule): boolean {
  const { mark } = observed;
  if (!mark) return true;
  return isOurFormat(mark) && markOf(observed).specHash !== mark.specHash;
}
