import type { JobInput } from '../contracts/jobs.js';
import { sameCalendars } from './calendars.js';
import { canonical, comparable } from './fingerprint.js';
import type { Action, ScheduleSpec } from './types.js';
import { durationWords } from './words.js';

/** One setting that is not as it should be, in words. */
export interface FieldChange {
  field: string;
  from: string;
  to: string;
}

/** Field by field, in the order in which a person wants to read it; empty when both mean the same. */
export function differences(from: ScheduleSpec, to: ScheduleSpec): FieldChange[] {
  if (canonical(comparable(from)) === canonical(comparable(to))) return [];
  const times = sameCalendars(from.calendars, to.calendars) ? [] : [timesChange(from, to)];
  const changes = [
    ...times,
    ...changesOf(specWords(from), specWords(to)),
    ...changesOf(...inputsInWords(from.action.args, to.action.args)),
    ...detailsChange(from, to),
  ];
  // Never silent: what has no words of its own is shown as it is.
  return changes.length > 0
    ? changes
    : [{ field: 'other', from: canonical(comparable(from)), to: canonical(comparable(to)) }];
}

const quoted = (text: string): string => JSON.stringify(text);

const timesChange = (from: ScheduleSpec, to: ScheduleSpec): FieldChange => ({
  field: 'cron',
  from: quoted(from.cron),
  to: quoted(to.cron),
});

function changesOf(from: Map<string, string>, to: Map<string, string>): FieldChange[] {
  return [...new Set([...to.keys(), ...from.keys()])]
    .map((field) => ({ field, from: from.get(field) ?? 'nothing', to: to.get(field) ?? 'nothing' }))
    .filter((change) => change.from !== change.to);
}

function specWords(spec: ScheduleSpec): Map<string, string> {
  const { action } = spec;
  return new Map([
    ['timezone', spec.timezone],
    ['jitter', durationWords(spec.jitterMs)],
    ['catchup', durationWords(spec.catchupMs)],
    ['overlap', spec.overlap],
    ['run name', action.name],
    ['workflow', action.workflowType],
    ['queue', action.taskQueue],
    ['execution timeout', durationWords(action.executionTimeoutMs)],
    ['summary', quoted(action.staticSummary)],
    ...attributeWords(action),
    ...memoWords(action),
    ...(spec.extras.length > 0 ? ([['extra', spec.extras.join(', ')]] as const) : []),
  ]);
}

/** Field by field when both are inputs of ours, else each as a whole. */
function inputsInWords(from: readonly unknown[], to: readonly unknown[]) {
  const [before, after] = [inputWords(from), inputWords(to)];
  const whole = (args: readonly unknown[]) => new Map([['input', canonical(args)]]);
  return before && after ? ([before, after] as const) : ([whole(from), whole(to)] as const);
}

function inputWords(args: readonly unknown[]): Map<string, string> | undefined {
  const [input, ...more] = args;
  if (typeof input !== 'object' || input === null || more.length > 0) return undefined;
  const { sources, limits, notify, ...rest } = input as Partial<JobInput>;
  const plain = Object.entries(rest).map(([key, value]) => [`input ${key}`, listOrText(value)] as const);
  const sourceWords = Array.isArray(sources)
    ? sources.map((source) => `${source?.resource}@${source?.host}`).join(', ')
    : canonical(sources);
  const routes = (Array.isArray(notify) ? notify : []).map(
    (route) => [`notify ${route?.channel}`, `${listOrText(route?.on)} by ${route?.host}`] as const,
  );
  const limitWords = Object.entries(limits ?? {}).map(
    ([key, value]) =>
      [`limit ${key}`, typeof value === 'number' ? durationWords(value) : canonical(value)] as const,
  );
  return new Map([['sources', sourceWords], ...plain, ...routes, ...limitWords]);
}

const isText = (value: unknown): value is string => typeof value === 'string';

function listOrText(value: unknown): string {
  if (isText(value)) return value;
  return Array.isArray(value) && value.every(isText) ? value.join(', ') : canonical(value);
}

const attributeWords = (action: Action): [string, string][] =>
  Object.entries(action.searchAttributes).flatMap(([name, value]) =>
    value === undefined ? [] : [[`attribute ${name}`, value]],
  );

const memoWords = (action: Action): [string, string][] =>
  Object.entries(action.memo)
    .filter(([key]) => key !== 'holdfast')
    .map(([key, value]) => [`memo ${key}`, canonical(value)]);

/** The details repeat the job in Markdown: only the lines that differ are worth reading. */
function detailsChange(from: ScheduleSpec, to: ScheduleSpec): FieldChange[] {
  const [before, after] = [from.action.staticDetails.split('\n'), to.action.staticDetails.split('\n')];
  if (before.join('\n') === after.join('\n')) return [];
  const only = (lines: string[], others: string[]): string =>
    lines
      .filter((line) => !others.includes(line))
      .map((line) => line.replace(/^- /, ''))
      .join('; ') || 'nothing';
  return [{ field: 'details', from: only(before, after), to: only(after, before) }];
}
