import { isAppendOnly, type Operation, operationsOf, storesOf } from '../config/lookup.js';
import type { Config } from '../config/schema.js';
import { parseRunId, scheduleId } from '../contracts/names.js';
import { compileRun } from '../schedules/compile.js';
import { mapBounded, requestsAtOnce } from '../schedules/pool.js';
import type { Temporal } from './context.js';
import { findJob, objectiveMsOf } from './jobs.js';
import { collectRuns, type FoundRuns, type Wanted } from './status-collect.js';
import { readFailovers, stillOver } from './status-failover.js';
import type { OperationFacts } from './status-model.js';
import { readUploads, readWaits } from './status-running.js';
import { type LeftSchedule, leftIn, readSchedules } from './status-schedules.js';
import { listRuns, type RunFilter, type RunRow } from './visibility.js';

/** Reads what status judges: a handful of calls however many jobs there are, and one more for each run that goes on. */

const mostClosedRuns = 5000;
/** Some more than there are operations: with one run of each last night, one page is enough. The server gives at most 1000. */
const pageFor = (operations: number): number => Math.min(1000, 20 + Math.ceil(operations * 1.2));

/** All operations of one job or of all, with what Temporal knows of them; and what it starts that the file does not name. */
export async function readOperations(
  temporal: Temporal,
  config: Config,
  job: string | undefined,
  now: Date,
): Promise<{ operations: OperationFacts[]; left: LeftSchedule[] }> {
  const jobs = job === undefined ? Object.keys(config.jobs) : [job];
  const operations = jobs.flatMap((name) => operationsOf(config, name));
  const aways = new Map(operations.map((operation) => [operation.name, awayNow(config, operation, now)]));
  const wanted = operations.map((operation) => ({
    ...operation,
    covers: aways.get(operation.name)?.covers || coversFor(config, operation),
  }));
  const filter = job === undefined ? {} : { job };
  const [schedules, running, closed, failovers] = await Promise.all([
    readSchedules(temporal),
    readRunning(temporal, filter),
    readClosed(temporal, wanted, filter),
    readFailovers(temporal, config, filter),
  ]);
  const waits = await readWaits(temporal, operations, running, now);
  const facts = await mapBounded(operations, requestsAtOnce, async (operation) => {
    const run = running.get(operation.name);
    const objectiveMs = objectiveMsOf(findJob(config, operation.job), operation);
    const wait = run && waits.get(run.run);
    const found = closed.of(operation);
    const appendOnly = removesNothing(config, operation);
    const away = aways.get(operation.name);
    // Without what is away, a run that covers all that was left says nothing of the replica there.
    const replicated = away ? undefined : found.newestGood;
    const failedOver = operation.main ? stillOver(failovers.get(operation.job), replicated) : undefined;
    const seeding = found.newestGood
      ? []
      : await readUploads({ temporal, config, running, now }, operation, found);
    return {
      operation,
      ...(objectiveMs !== undefined && { objectiveMs }),
      schedule: schedules.get(scheduleId(operation.name)),
      ...found,
      ...(run && { running: run }),
      ...(wait && { waiting: wait }),
      ...(seeding.length > 0 && { seeding }),
      ...(appendOnly && { appendOnly }),
      ...(failedOver && { failedOver }),
      ...(away && { away: { words: away.words, nothingLeft: away.covers === '' } }),
    };
  });
  return { operations: facts, left: leftIn(schedules, config, job) };
}

function removesNothing(config: Config, { job, operation }: Operation): boolean {
  const stores = storesOf(findJob(config, job));
  return operation === 'prune' && stores.length > 0 && stores.every((store) => isAppendOnly(config, store));
}

const coversFor = (config: Config, { job, operation }: Operation): string | undefined =>
  compileRun(config, job, operation).searchAttributes.HfCovers;

/** As its runs reckon it: what is left to be covered while some hosts are away. */
function awayNow(
  config: Config,
  { job, operation }: Operation,
  now: Date,
): { words: string[]; covers: string } | undefined {
  const { away = [] } = compileRun(config, job, operation).args[0];
  const still = away.filter(({ untilMs }) => untilMs > now.getTime());
  const [first] = still;
  return first && { words: still.map(({ words }) => words), covers: first.covers };
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

/** Only operations whose good run lies deep in a busy past are asked for by name: for the last run however it ended, then for good ones. */
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
    for await (const row of listRuns(temporal, { job, operation, running: false }, 5)) {
      // The first good one would be taken for the last one. An upload to a new store is never that.
      collected.add(row);
      if (collected.of({ job, operation }).last) break;
    }
    for await (const row of listRuns(temporal, { job, operation, running: false, good: true }, 5)) {
      collected.add(row);
      if (collected.of({ job, operation }).newestGood) break;
    }
  });
  return collected;
}
