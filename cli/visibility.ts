import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { Outcome } from '../contracts/jobs.js';
import {
  noteMemo,
  parseRunId,
  type SearchAttributeName,
  seededStore,
  workflowTypes,
} from '../contracts/names.js';
import type { Temporal } from './context.js';
import { dateOf } from './look.js';

/** How a run ended, or that it has not. `done`: it ended well but said no outcome, so nothing is concluded from it. */
export type RunState = 'running' | Outcome | 'done' | 'terminated' | 'timed out';

/** One run as the list knows it: one row, no further call. */
export interface RunRow {
  run: string;
  job: string;
  operation: string;
  state: RunState;
  startedAt: Date;
  closedAt?: Date;
  /** What it worked on, as schedules/covers.ts writes it. */
  covers?: string;
  waiting?: string;
  restorePoint?: Date;
  bytes?: number;
  /** What it has found out about its thing, beyond how it ended. */
  finding?: string;
}

/** What people call runs; leases and questions to hosts are not. */
export const runTypes: readonly string[] = [
  workflowTypes.backupRestic,
  workflowTypes.pruneRestic,
  workflowTypes.snapshotDatasets,
  workflowTypes.pruneSnapshots,
  workflowTypes.scrubPool,
  workflowTypes.maintainSnapraid,
  workflowTypes.scrubSnapraid,
  workflowTypes.repairSnapraid,
  workflowTypes.replicateDatasets,
  workflowTypes.parkReplicas,
  workflowTypes.rollBackReplicas,
  workflowTypes.pruneReplicas,
  workflowTypes.releaseLeftovers,
  workflowTypes.failOver,
  workflowTypes.failBack,
  workflowTypes.checkRestic,
  workflowTypes.restoreRestic,
  workflowTypes.restoreDatasets,
  workflowTypes.initialiseStore,
];

export interface RunFilter {
  job?: string;
  operation?: string;
  running?: boolean;
  /** Only what ended well. */
  good?: boolean;
}

/** Names come from the command line: only what is a name of ours may go into a query. */
export function visibilityQuery({ job, operation, running, good }: RunFilter): string {
  const quoted = (text: string): string => `'${text.replace(/[^a-z0-9-]/g, '')}'`;
  return [
    `WorkflowType IN (${runTypes.map((type) => `'${type}'`).join(', ')})`,
    ...(job === undefined ? [] : [`HfJob = ${quoted(job)}`]),
    ...(operation === undefined ? [] : [`HfOperation = ${quoted(operation)}`]),
    ...(running === undefined ? [] : [`ExecutionStatus ${running ? '=' : '!='} 'Running'`]),
    ...(good ? [`HfOutcome IN ('ok', 'warnings')`] : []),
  ].join(' AND ');
}

/** The newest first, page by page, as long as the caller goes on asking. */
export async function* listRuns(
  temporal: Temporal,
  filter: RunFilter,
  pageSize = 200,
): AsyncGenerator<RunRow> {
  for await (const info of listExecutions(temporal, visibilityQuery(filter), pageSize)) {
    const row = runRow(listedRun(info));
    if (row) yield row;
  }
}

/** The same of whatever a query finds: what goes on first, then by its end. */
export async function* listExecutions(
  { client, namespace }: Temporal,
  query: string,
  pageSize: number,
): AsyncGenerator<RawRun> {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.listWorkflowExecutions({
      namespace,
      query,
      pageSize,
      nextPageToken,
    });
    yield* page.executions ?? [];
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken);
}

export type RawRun = NonNullable<
  Awaited<ReturnType<Temporal['client']['workflowService']['listWorkflowExecutions']>>['executions']
>[number];
type ListedRun = Parameters<typeof runRow>[0];

/** WorkflowExecutionStatus in Temporal's API, by number, as the SDK spells it. */
export const statusNames = {
  0: 'UNSPECIFIED',
  1: 'RUNNING',
  2: 'COMPLETED',
  3: 'FAILED',
  4: 'CANCELLED',
  5: 'TERMINATED',
  6: 'CONTINUED_AS_NEW',
  7: 'TIMED_OUT',
  8: 'PAUSED',
} as const;

/** Only what a row shows: the SDK's own list decodes every payload of every run, three times as slowly. */
function listedRun(run: RawRun): ListedRun {
  const { execution, status, startTime, closeTime, searchAttributes, memo } = run;
  const fields = searchAttributes?.indexedFields ?? {};
  const first = (name: SearchAttributeName): unknown => firstValue(fields[name]?.data);
  const restorePoint = first('HfRestorePoint');
  const plain = ['HfOperation', 'HfOutcome', 'HfCovers', 'HfWaiting', 'HfBytes'] as const;
  return {
    workflowId: execution?.workflowId ?? '',
    status: { name: statusNames[status ?? 0] },
    startTime: dateOf(startTime) ?? new Date(0),
    closeTime: dateOf(closeTime),
    memo: { [noteMemo]: firstValue(memo?.fields?.[noteMemo]?.data) },
    searchAttributes: {
      ...Object.fromEntries(plain.map((name) => [name, [first(name)]])),
      ...(typeof restorePoint === 'string' && { HfRestorePoint: [new Date(restorePoint)] }),
    },
  };
}

/** A search attribute is JSON: a value, or a list of which ours have one. */
function firstValue(data: Uint8Array | null | undefined): unknown {
  if (!data?.length) return undefined;
  const value: unknown = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.length).toString());
  return Array.isArray(value) ? value[0] : value;
}

/** Undefined for what does not carry a RUN as its id: somebody else's workflow. */
export function runRow(
  info: Pick<WorkflowExecutionInfo, 'workflowId' | 'searchAttributes' | 'startTime' | 'closeTime'> &
    Partial<Pick<WorkflowExecutionInfo, 'memo'>> & { status: { name: string } },
): RunRow | undefined {
  const name = parseRunId(info.workflowId);
  if (!name) return undefined;
  const attributes = info.searchAttributes;
  const first = (key: string): unknown => attributes[key]?.[0];
  const restorePoint = first('HfRestorePoint');
  const waiting = first('HfWaiting');
  const covers = first('HfCovers');
  const bytes = first('HfBytes');
  const operation = first('HfOperation');
  const finding = info.memo?.[noteMemo];
  return {
    run: info.workflowId,
    job: name.job,
    // The main operation goes by the job's name alone, and a first upload is a backup under another name.
    operation: typeof operation === 'string' ? operation : (name.operation ?? 'backup'),
    state: stateOf(info.status.name, first('HfOutcome')),
    startedAt: info.startTime,
    ...(info.closeTime && { closedAt: info.closeTime }),
    ...(typeof covers === 'string' && { covers }),
    ...(typeof waiting === 'string' && waiting !== '' && { waiting }),
    ...(restorePoint instanceof Date && { restorePoint }),
    ...(typeof bytes === 'number' && { bytes }),
    ...(typeof finding === 'string' && { finding }),
  };
}

const outcomes: readonly unknown[] = ['ok', 'warnings', 'skipped', 'failed', 'refused', 'cancelled'];

/** Temporal's status has the last word: a run that failed after it had written "ok" did not end well. */
export function stateOf(status: string, outcome: unknown): RunState {
  switch (status) {
    case 'RUNNING':
    case 'PAUSED':
    case 'CONTINUED_AS_NEW':
      return 'running';
    case 'COMPLETED':
      return outcomes.includes(outcome) ? (outcome as Outcome) : 'done';
    case 'CANCELLED':
      return 'cancelled';
    case 'TERMINATED':
      return 'terminated';
    case 'TIMED_OUT':
      return 'timed out';
    default:
      return outcome === 'refused' || outcome === 'cancelled' ? outcome : 'failed';
  }
}

/** The run of the same operation that still goes on, if there is one; a first upload goes on beside it. */
export async function runningRun(
  temporal: Temporal,
  job: string,
  operation: string,
): Promise<string | undefined> {
  for await (const { run } of listRuns(temporal, { job, operation, running: true }, 5)) {
    if (seededStore(parseRunId(run)?.operation) !== undefined) continue;
    // The list may be a second behind: a run that has just ended must not stand in the way of the next one.
    const { status } = await temporal.client.workflow.getHandle(run).describe();
    if (status.name === 'RUNNING') return run;
  }
  return undefined;
}
