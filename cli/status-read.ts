import { isAppendOnly, type Operation, operationsOf, storesOf } from '../config/lookup.js';
import type { Config } from '../config/schema.js';
import { parseRunId, scheduleId } from '../contracts/names.js';
import { compileRun } from '../schedules/compile.js';
import { mapBounded, requestsAtOnce } from '../schedules/pool.js';
import type { Temporal } from './context.js';
import { failureLine } from './follow-lines.js';
import { findJob, objectiveMsOf } from './jobs.js';
import { dateOf, lookAtRun } from './look.js';
import { waitOfRun } from './snapshot.js';
import { readFailovers } from './status-failover.js';
import {
  collectRuns,
  type FoundRuns,
  type OperationFacts,
  type ScheduleFacts,
  type Wanted,
} from './status-model.js';
import { type Seeding, seedingIn } from './status-seeding.js';
import { listRuns, type RunFilter, type RunRow } from './visibility.js';

/** Reads what status judges: a handful of calls however many jobs there are, and one more for each run that goes on. */

const mostClosedRuns = 5000;
/** Some more than there are operations: with one run of each last night, one page is enough. The server gives at most 1000. */
const pageFor = (operations: number): number => Math.min(1000, 20 + Math.ceil(operations * 1.2));
const mostRunsLookedAt = 100;

/** All operations of one job or of all, with what Temporal knows of them. */
export async function readOperations(
  temporal: Temporal,
  config: Config,
  job: string | undefined,
  now: Date,
): Promise<OperationFacts[]> {
  const jobs = job === undefined ? Object.keys(config.jobs) : [job];
  const operations = jobs.flatMap((name) => operationsOf(config, name));
  const wanted = operations.map((operation) => ({ ...operation, covers: coversFor(config, operation) }));
  const filter = job === undefined ? {} : { job };
  const [schedules, running, closed, failovers] = await Promise.all([
    readSchedules(temporal),
    readRunning(temporal, filter),
    readClosed(temporal, wanted, filter),
    readFailovers(temporal, config, filter),
  ]);
  const waits = await readWaits(temporal, operations, running, now);
  return mapBounded(operations, requestsAtOnce, async (operation) => {
    const run = running.get(operation.name);
    const objectiveMs = objectiveMsOf(findJob(config, operation.job), operation);
    const wait = run && waits.get(run.run);
    const hasCopy = closed.of(operation).newestGood !== undefined;
    const appendOnly = removesNothing(config, operation);
    const failedOver = operation.main ? failovers.get(operation.job) : undefined;
    const seeding = hasCopy ? undefined : await readSeeding(temporal, config, operation, run, now);
    return {
      operation,
      ...(objectiveMs !== undefined && { objectiveMs }),
      schedule: schedules.get(scheduleId(operation.name)),
      ...closed.of(operation),
      ...(run && { running: run }),
      ...(wait && { waiting: wait }),
      ...(seeding && { seeding }),
      ...(appendOnly && { appendOnly }),
      ...(failedOver && { failedOver }),
    };
  });
}

/** A job that seeds and has no copy yet: how far its run is. */
async function readSeeding(
  temporal: Temporal,
  config: Config,
  { job, main }: Operation,
  run: RunRow | undefined,
  now: Date,
): Promise<Seeding | undefined> {
  const declared = findJob(config, job);
  const seeding = declared.kind === 'restic-backup' && declared.seeding;
  if (!seeding || !main) return undefined;
  // It may end between the list and this look.
  const snapshot = run && (await lookAtRun(temporal, run.run, now).catch(() => undefined));
  return { noProgressAfterMs: seeding.noProgressAfter, ...(snapshot && seedingIn(snapshot)) };
}

function removesNothing(config: Config, { job, operation }: Operation): boolean {
  const stores = storesOf(findJob(config, job));
  return operation === 'prune' && stores.length > 0 && stores.every((store) => isAppendOnly(config, store));
}

const coversFor = (config: Config, { job, operation }: Operation): string | undefined =>
  compileRun(config, job, operation).searchAttributes.HfCovers;

/** The raw list: the SDK's own decodes every schedule in the namespace, and one foreign payload would stop us. */
async function readSchedules({ client, namespace }: Temporal): Promise<Map<string, ScheduleFacts>> {
  const found = new Map<string, ScheduleFacts>();
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.listSchedules({
      namespace,
      nextPageToken,
      maximumPageSize: 1000,
    });
    for (const { scheduleId: id, info } of page.schedules ?? []) {
      const next = dateOf(info?.futureActionTimes?.[0]);
      if (id)
        found.set(id, { paused: info?.paused === true, note: info?.notes ?? '', ...(next && { next }) });
    }
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken);
  return found;
}

async function readRunning(temporal: Temporal, filter: { job?: string }): Promise<Map<string, RunRow>> {
  const running = new Map<string, RunRow>();
  for await (const row of listRuns(temporal, { ...filter, running: true })) running.set(nameOf(row), row);
  return running;
}

/** As `operationName` makes it: what stands before the time. */
const nameOf = ({ run, job }: RunRow): string => {
  const { operation } = parseRunId(run) ?? {};
  return operation === undefined ? job : `${job}.${operation}`;
};

/** A list for each kind of operation: a weekly check is found without reading through all the backups since. */
async function readClosed(temporal: Temporal, wanted: readonly Wanted[], filter: { job?: string }) {
  const kinds = [...new Set(wanted.map(({ operation }) => operation))];
  const read = await Promise.all(
    kinds.map(async (kind) => {
      const operations = wanted.filter(({ operation }) => operation === kind);
      return [kind, await readClosedOf(temporal, operations, { ...filter, operation: kind })] as const;
    }),
  );
  const found = new Map(read);
  return { of: (operation: Operation): FoundRuns => found.get(operation.operation)?.of(operation) ?? {} };
}

/** Only operations whose good run lies deep in a busy past are asked for by name. */
async function readClosedOf(temporal: Temporal, operations: readonly Wanted[], filter: RunFilter) {
  const collected = collectRuns(operations);
  let count = 0;
  for await (const row of listRuns(temporal, { ...filter, running: false }, pageFor(operations.length))) {
    collected.add(row);
    count += 1;
    if (collected.complete() || count >= mostClosedRuns) break;
  }
  if (count < mostClosedRuns) return collected;
  const without = operations.filter((operation) => !collected.of(operation).newestGood);
  await mapBounded(without, requestsAtOnce, async ({ job, operation }) => {
    for await (const row of listRuns(temporal, { job, operation, running: false, good: true }, 5)) {
      collected.add(row);
      if (collected.of({ job, operation }).newestGood) break;
    }
  });
  return collected;
}

/** What runs wait for: from the list where the workflow wrote it there, else from a look at the run itself. */
async function readWaits(
  temporal: Temporal,
  operations: readonly Operation[],
  running: ReadonlyMap<string, RunRow>,
  now: Date,
): Promise<Map<string, string>> {
  const rows = operations.flatMap(({ name }) => running.get(name) ?? []).slice(0, mostRunsLookedAt);
  const waits = await mapBounded(
    rows,
    requestsAtOnce,
    async (row) => [row.run, await waitOfRow(temporal, row, now)] as const,
  );
  return new Map(waits.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}

async function waitOfRow(temporal: Temporal, row: RunRow, now: Date): Promise<string | undefined> {
  if (row.waiting) return `waiting for ${row.waiting}`;
  // It may end between the list and this look, which is no reason to show nothing at all.
  const snapshot = await lookAtRun(temporal, row.run, now).catch(() => undefined);
  if (!snapshot) return undefined;
  const failing = snapshot.pending.find((step) => step.failure);
  const words = [failing && failureLine(failing, now), waitOfRun(snapshot)].filter((word) => word);
  return words.length > 0 ? words.join('; ') : undefined;
}
