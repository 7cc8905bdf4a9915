import type { Config } from '../config/schema.js';
import type { Temporal } from './context.js';
import type { FailedOver } from './status-model.js';
import { listRuns, type RunRow } from './visibility.js';

/** Which jobs have another side in use, by what their failovers and failbacks have said; the pools themselves say it to each replication. */
export async function readFailovers(
  temporal: Temporal,
  { jobs }: Config,
  filter: { job?: string },
): Promise<Map<string, FailedOver>> {
  const replicates = Object.entries(jobs).some(
    ([name, { kind }]) => kind === 'zfs-replication' && (filter.job === undefined || filter.job === name),
  );
  if (!replicates) return new Map();
  const [over, back] = await Promise.all([
    newestOf(temporal, { ...filter, operation: 'failover' }),
    newestOf(temporal, { ...filter, operation: 'failback' }),
  ]);
  return failedOver(over, back);
}

/** Only what was really done carries the store that it was about: a run that only planned has none. */
async function newestOf(
  temporal: Temporal,
  filter: { job?: string; operation: string },
): Promise<Map<string, RunRow>> {
  const newest = new Map<string, RunRow>();
  for await (const row of listRuns(temporal, { ...filter, running: false, good: true }, 100))
    if (row.covers !== undefined && row.closedAt && !newest.has(row.job)) newest.set(row.job, row);
  return newest;
}

/** The pure half: a failover counts until a failback of the same job has ended after it. */
export function failedOver(
  over: ReadonlyMap<string, RunRow>,
  back: ReadonlyMap<string, RunRow>,
): Map<string, FailedOver> {
  const found = new Map<string, FailedOver>();
  for (const [job, { run, covers = '', closedAt }] of over) {
    const returned = back.get(job)?.closedAt;
    if (closedAt && !(returned && returned > closedAt)) found.set(job, { run, store: covers, at: closedAt });
  }
  return found;
}

/** Nothing is sent to a replica that is in use: what was replicated since shows that it is one again, as `holdfast undo` makes it. */
export const stillOver = (
  over: FailedOver | undefined,
  replicated: RunRow | undefined,
): FailedOver | undefined => (over && replicated && replicated.startedAt > over.at ? undefined : over);
