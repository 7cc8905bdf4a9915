import type { Config } from '../config/schema.js';
import { notifyOf } from '../schedules/notify-routes.js';
import { orphanWords } from '../schedules/words.js';
import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';
import { findJob } from './jobs.js';
import { printable } from './printable.js';
import { table } from './render.js';
import { colouredState } from './run-list.js';
import { readSilentChannels, type SilentChannel, wordsOfMessage } from './silent-channels.js';
import { type StatusRow, statusRow } from './status-model.js';
import { readOperations } from './status-read.js';
import { readReplicaLags, replicaLines } from './status-replicas.js';
import { type LeftSchedule, leftRow } from './status-schedules.js';
import { seedingText } from './status-seeding.js';
import { age, duration, localTime, localZone } from './time.js';

/** `status [JOB] [--check]`. */
export async function showStatus(context: Context, job: string | undefined, check: boolean): Promise<number> {
  const config = await context.config();
  if (job !== undefined) findJob(config, job);
  const now = context.now();
  const temporal = await context.temporal();
  const [{ operations, left }, silent] = await Promise.all([
    readOperations(temporal, config, job, now),
    readSilentChannels(temporal, config, now),
  ]);
  const lags = job === undefined ? [] : await readReplicaLags(context, temporal, config, job);
  const rows = operations.map((entry) => {
    const row = { ...statusRow(entry, now), ...silentFor(config, entry.operation.job, silent) };
    return row.operation === 'replicate' && lags.length > 0 ? { ...row, replicas: lags } : row;
  });
  const others = left.filter(({ name }) => !rows.some((row) => row.name === name)).map(leftRow);
  if (context.json) context.out(JSON.stringify([...rows, ...others], null, 2));
  else context.out(statusText(context, rows, now, left));
  if (!context.json && lags.length > 0)
    for (const line of ['', ...replicaLines(context, lags)]) context.out(line);
  return check ? verdict(context, rows) : exitCodes.done;
}

/** What nobody is told of would look like all is well. */
function verdict(context: Context, rows: readonly StatusRow[]): number {
  const overdue = rows.filter((row) => row.overdue).map(({ name }) => name);
  const silent = silentIn(rows).map(({ channel }) => channel);
  if (overdue.length > 0) context.note(`holdfast: overdue: ${overdue.join(', ')}`);
  if (silent.length > 0) context.note(`holdfast: messages do not go out: ${silent.join(', ')}`);
  return overdue.length + silent.length > 0 ? exitCodes.failed : exitCodes.done;
}

function silentFor(config: Config, job: string, all: readonly SilentChannel[]): Pick<StatusRow, 'silent'> {
  const { notify = [] } = notifyOf(config, job);
  const silent = all.filter(({ channel }) => notify.some((route) => route.channel === channel));
  return silent.length > 0 ? { silent } : {};
}

/** Each once, however many jobs it should tell of. */
const silentIn = (rows: readonly StatusRow[]): SilentChannel[] => [
  ...new Map(rows.flatMap(({ silent = [] }) => silent).map((one) => [one.channel, one])).values(),
];

/** The table, and below it the sentences that do not fit into one: findings, schedules that were left, and channels that do not tell. */
export function statusText(
  context: Context,
  rows: readonly StatusRow[],
  now: Date,
  left: readonly LeftSchedule[] = [],
): string {
  const forgotten = left.map(({ id, paused }) => context.colours.yellow(printable(orphanWords(id, paused))));
  if (rows.length === 0) return ['No jobs in holdfast.yaml.', ...forgotten].join('\n');
  const lines = rows.map((row) => [
    row.name,
    goodText(context, row),
    objectiveText(row),
    row.lastState
      ? `${colouredState(context, row.lastState)}${row.lastAt ? ` ${agoText(row.lastAt, now)}` : ''}`
      : 'never',
    nextText(context, row),
    runningText(context, row, now),
  ]);
  const head = ['job', 'newest good', 'objective', 'last run', `next run (${localZone()})`, 'now'];
  const found = rows.flatMap(({ name, finding }) => (finding ? [`${name}: ${printable(finding)}`] : []));
  found.push(...forgotten);
  found.push(...silentIn(rows).map((silent) => context.colours.red(silentText(silent, now))));
  return [table(context, head, lines), ...(found.length > 0 ? ['', ...found] : [])].join('\n');
}

function silentText(silent: SilentChannel, now: Date): string {
  const { channel, host, state, at } = silent;
  const how =
    state === 'failed'
      ? `did not go out, ${agoText(at, now)}`
      : `is tried in vain for ${age(now.getTime() - at.getTime())}`;
  return printable(
    `channel ${channel}: ${wordsOfMessage(silent)} ${how}; "holdfast doctor ${host}" says why, "holdfast notify ${channel}" tries again`,
  );
}

const agoText = (time: Date, now: Date): string => `${age(now.getTime() - time.getTime())} ago`;

/** A word beside the colour: a pipe and a colour-blind reader have only the word. */
function goodText({ colours }: Context, { ageMs, level, overdue, seeding, appendOnly }: StatusRow): string {
  const none = seeding ? 'none, seeding' : 'none';
  const some = seeding ? ', others seeding' : '';
  const text = `${ageMs === undefined ? none : `${age(ageMs)} old${some}`}${overdue ? ', overdue' : ''}${appendOnly ? ', append-only' : ''}`;
  const paint = {
    green: colours.green,
    yellow: colours.yellow,
    red: colours.red,
    none: (plain: string) => plain,
  };
  return paint[level](text);
}

/** While the first copy is under way its age means nothing. */
function objectiveText({ objectiveMs, ageMs, seeding }: StatusRow): string {
  const [upload] = seeding ?? [];
  if (upload && ageMs === undefined) return `progress within ${age(upload.noProgressAfterMs)}`;
  return objectiveMs === undefined ? '-' : `within ${age(objectiveMs)}`;
}

function nextText({ colours }: Context, { schedule, next, note }: StatusRow): string {
  if (schedule === 'paused') return colours.yellow(note ? `paused: ${note}` : 'paused');
  if (schedule === 'not applied') return colours.yellow('not applied');
  if (schedule === 'by hand') return 'by hand';
  const time = next ? localTime(next).slice(0, 16) : '-';
  return schedule === 'not in the file' ? colours.yellow(`${time}, not in the file`) : time;
}

function runningText(context: Context, row: StatusRow, now: Date): string {
  return [workText(context, row, now), ...(row.away ?? [])].filter((text) => text !== '').join('; ');
}

function workText(context: Context, row: StatusRow, now: Date): string {
  const { running, runningSince, waiting, seeding = [], failedOver } = row;
  if (!running && failedOver)
    return context.colours.yellow(
      `the replica in ${failedOver.store} is in use since ${agoText(failedOver.at, now)}`,
    );
  const uploads = seeding.filter(({ run }) => run !== undefined);
  const since = runningSince ? ` ${duration(now.getTime() - runningSince.getTime())}` : '';
  const own = running && !uploads.some(({ run }) => run === running);
  return [
    ...(own ? [withWait(context, `running${since}`, waiting)] : []),
    ...uploads.map((upload) => {
      const name = seeding.length > 1 ? `${upload.store}: ` : '';
      return withWait(context, `${name}${seedingText(upload, now)}`, upload.waiting);
    }),
  ].join('; ');
}

const withWait = ({ colours }: Context, word: string, waiting: string | undefined): string =>
  waiting ? `${colours.yellow(`${word}:`)} ${waiting}` : colours.cyan(word);
