import { operationsOf, storesOf } from '../config/lookup.js';
import type { Config } from '../config/schema.js';
import type { RunResult } from '../contracts/jobs.js';
import { type CheckCost, type CheckMeasures, checkCost } from '../schedules/check-cost.js';
import type { Temporal } from './context.js';
import { bytes } from './render.js';
import { isGood } from './status-model.js';
import { listRuns, type RunRow } from './visibility.js';

/** What the checks of each job cost, for `plan`: one line for each that reads data. */
export async function checkCostLines(temporal: Temporal, config: Config): Promise<string[]> {
  const lines: string[] = [];
  for (const [job, declared] of Object.entries(config.jobs)) {
    const check = declared.kind === 'restic-backup' ? declared.check : undefined;
    if (check?.parts === undefined) continue;
    const name = operationsOf(config, job).find(({ operation }) => operation === 'check')?.name ?? job;
    const stores = storesOf(declared);
    const measures = await measure(temporal, job, { cron: check.cron, parts: check.parts }, stores);
    lines.push(costLine(name, stores, check.parts, checkCost(measures)));
  }
  return lines;
}

async function measure(
  temporal: Temporal,
  job: string,
  setting: Pick<CheckMeasures, 'cron' | 'parts'>,
  stores: readonly string[],
): Promise<CheckMeasures> {
  const backup = await newestGood(temporal, job, 'backup');
  const check = await newestGood(temporal, job, 'check');
  const last = check && (await lastCheck(temporal, check));
  return {
    ...setting,
    // A run counts what it has proved in all of its stores.
    ...(backup?.bytes !== undefined && { bytes: backup.bytes / stores.length }),
    ...(last && { last }),
  };
}

/** Before the first "apply" the server does not know our search attributes: then nothing was measured either. */
async function newestGood(temporal: Temporal, job: string, operation: string): Promise<RunRow | undefined> {
  try {
    for await (const row of listRuns(temporal, { job, operation, running: false, good: true }, 5)) {
      if (isGood(row)) return row;
    }
  } catch {
    return undefined;
  }
  return undefined;
}

/** How long it took, from its run; one part of how many it read, from what it handed back. */
async function lastCheck(temporal: Temporal, row: RunRow): Promise<CheckMeasures['last']> {
  const handle = temporal.client.workflow.getHandle(row.run);
  const result = (await handle.result().catch(() => undefined)) as Partial<RunResult> | undefined;
  const parts = result?.checks?.find((check) => check.parts !== undefined)?.parts;
  if (parts === undefined || row.closedAt === undefined) return undefined;
  return { parts, durationMs: row.closedAt.getTime() - row.startedAt.getTime() };
}

const hours = (count: number): string =>
  count < 1 ? `${Math.max(1, Math.round(count * 60))} min` : `${count.toFixed(1)} h`;

/** In words. What was never measured is said to be unknown. */
export function costLine(name: string, stores: readonly string[], parts: number, cost: CheckCost): string {
  const { daysForAll, bytesPerCheck, bytesPerDay, bytesPerSecond, hoursPerCheck } = cost;
  const read =
    bytesPerCheck === undefined || bytesPerDay === undefined
      ? 'how much that is, is unknown until a backup has ended well'
      : `about ${bytes(bytesPerCheck)} each time, ${bytes(bytesPerDay)} a day`;
  const speed = bytesPerSecond === undefined ? '' : ` (${bytes(bytesPerSecond)}/s)`;
  const time =
    hoursPerCheck === undefined
      ? 'the time is unknown until a check has read a part'
      : `${hours(hoursPerCheck)} at the speed of the last check${speed}`;
  const all = Number.isFinite(daysForAll) ? `; all of it in ${Math.round(daysForAll * 10) / 10} days` : '';
  return `${name}: reads 1/${parts} of ${stores.join(', ')}: ${read}; ${time}${all}`;
}
