import { HoldfastError } from '../contracts/errors.js';
import type { Copy } from '../contracts/jobs.js';
import { type Asked, answerCommands, askedOf } from './approval.js';
import type { Context } from './context.js';
import { type AnyResult, endLines } from './end.js';
import { exitCodes } from './exit-codes.js';
import { describeFailure } from './fail.js';
import { type FoundRun, findRun } from './find-run.js';
import { failureLine, progressLine } from './follow-lines.js';
import { type PastStep, stepsOf, withPending } from './history.js';
import { lookAtRun } from './look.js';
import { type Made, madeIn } from './made-copies.js';
import { printable } from './printable.js';
import { bytes, facts, table } from './render.js';
import { errorOfRun } from './run-end.js';
import { colouredState } from './run-list.js';
import { type Snapshot, waitOf, waitOfRun } from './snapshot.js';
import { duration, localTimeWithZone } from './time.js';
import { type RunRow, runRow } from './visibility.js';

/** Everything that `show` knows; what --json prints. */
interface RunView {
  row: RunRow;
  summary?: string;
  steps: PastStep[];
  snapshot?: Snapshot;
  result?: AnyResult;
  error?: HoldfastError;
  /** Of a run that ended badly: what it had made and proved by then. */
  made?: Made;
}

/** `show RUN`. */
export async function showRun(context: Context, run: string): Promise<number> {
  const view = await readRun(context, await findRun(await context.temporal(), run));
  if (context.json) context.out(JSON.stringify(plain(view), null, 2));
  else context.out(sections(context, view).join('\n\n'));
  return exitCodes.done;
}

async function readRun(context: Context, { run, handle, description }: FoundRun): Promise<RunView> {
  const row = runRow(description);
  if (!row) throw new HoldfastError('HF_RUN_NOT_FOUND', `${run} is not a run of ours`);
  const running = row.state === 'running';
  const [summary, history] = await Promise.all([description.staticSummary(), handle.fetchHistory()]);
  const view: RunView = { row, summary, steps: stepsOf(history) };
  if (running) {
    const snapshot = await lookAtRun(await context.temporal(), run, context.now());
    return { ...view, snapshot, steps: withPending(view.steps, snapshot.pending) };
  }
  try {
    return { ...view, result: (await handle.result()) as AnyResult };
  } catch (error) {
    return { ...view, error: errorOfRun(run, error), made: madeIn(history) };
  }
}

function plain({ row, summary, steps, snapshot, result, error, made }: RunView): unknown {
  const failure = error && describeFailure(error);
  return {
    ...row,
    summary,
    steps,
    ...(snapshot && {
      waitingFor: waitOfRun(snapshot),
      pending: snapshot.pending,
      plan: snapshot.report?.plan,
    }),
    ...(result && { result }),
    ...made,
    ...(failure && { error: { code: failure.code, message: failure.message, next: failure.next } }),
  };
}

function sections(context: Context, view: RunView): string[] {
  const { row, snapshot, result, error, made } = view;
  return [
    head(context, view),
    ...(view.steps.length > 0 ? [stepTable(context, view.steps)] : []),
    ...(snapshot ? nowSections(snapshot, row.run) : []),
    ...(result?.copies && result.copies.length > 0 ? [copyTable(context, result.copies)] : []),
    ...(result ? [endLines(row.run, result).join('\n')] : []),
    ...(made ? madeSections(context, made) : []),
    ...(error ? [failureText(error)] : []),
  ];
}

function head(context: Context, { row, summary }: RunView): string {
  const end = row.closedAt ?? context.now();
  return facts(context, [
    ['run', row.run],
    ...(summary ? [['what', summary] as const] : []),
    ['state', colouredState(context, row.state)],
    ['started', localTimeWithZone(row.startedAt)],
    [row.closedAt ? 'took' : 'for', duration(end.getTime() - row.startedAt.getTime())],
    ...(row.restorePoint ? [['holds the state of', localTimeWithZone(row.restorePoint)] as const] : []),
  ]);
}

function stepTable(context: Context, steps: readonly PastStep[]): string {
  const now = context.now();
  const took = ({ scheduledAt, endedAt }: PastStep): string =>
    scheduledAt ? duration((endedAt ?? now).getTime() - scheduledAt.getTime()) : '';
  return table(
    context,
    ['step', 'host', 'state', 'attempts', 'took', 'failure'],
    steps.map((step) => [
      step.summary,
      step.host ?? '',
      step.state,
      String(step.attempts),
      took(step),
      (step.failure ?? '').slice(0, 200),
    ]),
  );
}

/** What is going on, what it waits for, and what it asks. */
function nowSections(snapshot: Snapshot, run: string): string[] {
  const wait = waitOfRun(snapshot);
  const lines = snapshot.pending.flatMap((step) => [
    ...(step.progress && step.state === 'started' ? [progressLine(step.progress)] : []),
    ...(step.failure ? [failureLine(step, snapshot.at)] : []),
    ...(waitOf(step, snapshot.at) === undefined ? [] : [`${step.activity}: ${waitOf(step, snapshot.at)}`]),
  ]);
  const steps = (snapshot.report?.steps ?? []).map(
    ({ name, state, note }) => `${state.padEnd(8)} ${name}${note ? `: ${note}` : ''}`,
  );
  const asked = snapshot.report && askedOf(snapshot.report);
  return [
    ...(steps.length > 0 ? [steps.map(printable).join('\n')] : []),
    ...(lines.length > 0 ? [lines.map(printable).join('\n')] : []),
    ...(wait ? [printable(wait)] : []),
    ...(asked ? [askedText(run, asked)] : []),
  ];
}

/** What a run asks, and how it is answered. */
export function askedText(run: string, asked: Asked): string {
  const { yes, no } = answerCommands(run, asked);
  return [...asked.lines.map(printable), `say yes: ${yes}`, `say no:  ${no}`].join('\n');
}

const copyTable = (context: Context, copies: readonly Copy[]): string =>
  table(
    context,
    ['copy', 'resource', 'store', 'files', 'size', 'added', 'warnings'],
    copies.map((copy) => [
      copy.snapshot.slice(0, 12),
      copy.resource,
      copy.store,
      String(copy.files),
      bytes(copy.bytes),
      bytes(copy.bytesAdded),
      String(copy.warnings.length),
    ]),
  );

/** A run of several stores or resources may end badly and still have made most of its copies. */
function madeSections(context: Context, { copies, replicas }: Made): string[] {
  const warnings = copies.flatMap(({ resource, store, warnings: own }) =>
    own.map((text) => `warning: ${resource} → ${store}: ${text}`),
  );
  const lines = replicas.map(({ resource, store, datasets, restorePoint }) => {
    const of = restorePoint === undefined ? '' : ` as of ${localTimeWithZone(new Date(restorePoint))}`;
    return `${resource} → ${store}: ${datasets} datasets proved${of}`;
  });
  const made = [
    ...(copies.length > 0 ? [copyTable(context, copies)] : []),
    ...[...lines, ...warnings].map(printable),
  ];
  return made.length > 0 ? [['made and proved before it ended:', ...made].join('\n')] : [];
}

function failureText(error: HoldfastError): string {
  const { code, message, next } = describeFailure(error);
  return [`${code}: ${message}`, `next: ${next}`].map(printable).join('\n');
}
