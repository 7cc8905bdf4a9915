import type { FieldChange } from './difference.js';
import type { ScheduleChange } from './plan.js';
import type { ObservedSchedule } from './types.js';
import { durationWords } from './words.js';

const signs = { add: '+', change: '~', edited: '!', orphan: '?', same: '=' } as const;

/** For a terminal or a pipe: one line for each schedule that is not as it should be, its fields below it, and the sum. */
export function renderPlan(changes: readonly ScheduleChange[]): string[] {
  const lines = changes
    .filter(({ kind }) => kind !== 'same')
    .flatMap((change) => [`${signs[change.kind]} ${change.id}  ${headline(change)}`, ...fieldLines(change)]);
  return [...lines, sum(changes)];
}

function headline(change: ScheduleChange): string {
  switch (change.kind) {
    case 'add':
      return `new: "${change.desired.cron}" ${change.desired.timezone}, ${change.desired.action.staticSummary}`;
    case 'change':
      return `changes${stateWords(change.observed)}`;
    case 'edited':
      return `was edited by hand; goes back to the configuration${stateWords(change.observed)}`;
    case 'orphan':
      return `not in the configuration${orphanWords(change.observed)}; "holdfast apply --prune" deletes it`;
    case 'same':
      return `unchanged${stateWords(change.observed)}`;
  }
}

/** An operator's pause is kept, and nobody should wonder later why nothing runs. */
function stateWords({ paused, note }: ObservedSchedule): string {
  if (!paused) return '';
  return note ? ` (stays paused: ${oneLine(note)})` : ' (stays paused)';
}

function orphanWords({ paused, note, nextActionTimes }: ObservedSchedule): string {
  if (paused) return note ? ` (paused: ${oneLine(note)})` : ' (paused)';
  const [next] = nextActionTimes;
  return next ? `, still runs (next ${next.slice(0, 16).replace('T', ' ')} UTC)` : ', has no next start';
}

function fieldLines(change: ScheduleChange): string[] {
  if (change.kind === 'add') return [`    ${timingWords(change.desired)}`];
  if (change.kind !== 'change' && change.kind !== 'edited') return [];
  if (change.fields.length === 0) return ['    only the mark that it is ours'];
  return change.fields.map(fieldLine);
}

const timingWords = (desired: { jitterMs: number; catchupMs: number; overlap: string }): string =>
  `jitter ${durationWords(desired.jitterMs)}, catchup ${durationWords(desired.catchupMs)}, overlap ${desired.overlap}`;

const fieldLine = ({ field, from, to }: FieldChange): string =>
  `    ${field} ${clip(oneLine(from))} -> ${clip(oneLine(to))}`;

const clip = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text);

/** A note or a text from outside must not move the cursor of a terminal. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ').trim();

const countWords: [ScheduleChange['kind'], string][] = [
  ['add', 'to add'],
  ['change', 'to change'],
  ['edited', 'edited by hand'],
  ['orphan', 'not in the configuration'],
  ['same', 'unchanged'],
];

function sum(changes: readonly ScheduleChange[]): string {
  const counts = countWords
    .map(([kind, words]): [number, string] => [changes.filter((each) => each.kind === kind).length, words])
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`);
  return counts.length > 0 ? `Schedules: ${counts.join(', ')}` : 'Schedules: none';
}
