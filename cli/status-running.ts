import { type Operation, storesOf } from '../config/lookup.js';
import type { Config } from '../config/schema.js';
import { pairsOf, readCovers } from '../contracts/covers.js';
import { operationName, seedOperation } from '../contracts/names.js';
import { compileRun } from '../schedules/compile.js';
import { mapBounded, requestsAtOnce } from '../schedules/pool.js';
import type { Temporal } from './context.js';
import { failureLine } from './follow-lines.js';
import { findJob } from './jobs.js';
import { lookAtRun } from './look.js';
import { type Snapshot, waitOfRun } from './snapshot.js';
import type { FoundRuns } from './status-collect.js';
import { type Seeding, seedingIn } from './status-seeding.js';
import type { RunRow } from './visibility.js';

/** What status says of runs that go on: one look at each. */

const mostRunsLookedAt = 100;

interface Reading {
  temporal: Temporal;
  config: Config;
  running: ReadonlyMap<string, RunRow>;
  now: Date;
}

/** A job that seeds and has stores without a copy: how far the run of each is. */
export async function readUploads(
  { temporal, config, running, now }: Reading,
  { job, operation, main, name }: Operation,
  { uncovered = [], uploads, last }: FoundRuns,
): Promise<Seeding[]> {
  const declared = findJob(config, job);
  if (declared.kind !== 'restic-backup' || !declared.seeding || !main) return [];
  const noProgressAfterMs = declared.seeding.noProgressAfter;
  const { HfCovers = '' } = compileRun(config, job, operation).searchAttributes;
  const pairs = readCovers(HfCovers, pairsOf(declared.resources, storesOf(declared)));
  // A job of so many pairs that they are written as one digest does not say which.
  const open = new Set(uncovered.map((one) => pairs.find(({ part }) => part === one)?.pair?.store));
  const stores = storesOf(declared).filter((store) => open.has(store) || open.has(undefined));
  return mapBounded(stores, requestsAtOnce, async (store): Promise<Seeding> => {
    // The backup itself starts the upload, and was the upload once.
    const run = running.get(operationName(job, seedOperation(store), 'backup')) ?? running.get(name);
    const before = uploads?.get(store) ?? last;
    // It may end between the list and this look.
    const snapshot = run && (await lookAtRun(temporal, run.run, now).catch(() => undefined));
    const waiting = run && (run.waiting ? `waiting for ${run.waiting}` : snapshot && waitIn(snapshot, now));
    return {
      store,
      noProgressAfterMs,
      ...(run && { run: run.run, startedAt: run.startedAt }),
      failedBefore: before !== undefined && before.state !== 'ok' && before.state !== 'warnings',
      ...(waiting && { waiting }),
      ...(snapshot && seedingIn(snapshot)),
    };
  });
}

/** What runs wait for: from the list where the workflow wrote it there, else from a look at the run itself. */
export async function readWaits(
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
  return snapshot && waitIn(snapshot, now);
}

function waitIn(snapshot: Snapshot, now: Date): string | undefined {
  const failing = snapshot.pending.find((step) => step.failure);
  const words = [failing && failureLine(failing, now), waitOfRun(snapshot)].filter((word) => word);
  return words.length > 0 ? words.join('; ') : undefined;
}
