import type { Operation } from '../config/lookup.js';
import { partsOf, splitPoint } from '../contracts/covers.js';
import { parseRunId, seededStore } from '../contracts/names.js';
import { isGood, pointOf } from './status-model.js';
import type { RunRow } from './visibility.js';

/** From a list of runs to the ones that status judges. */

/** Takes runs as the list gives them, newest first; tells when every operation has all that it wants to know. */
export function collectRuns(operations: readonly Wanted[]) {
  const found = new Map(operations.map((one) => [`${one.job}.${one.operation}`, collectionOf(one)]));
  let missing = [...found.values()].reduce((sum, { newest }) => sum + newest.size, 0);
  return {
    add(row: RunRow): void {
      const entry = found.get(`${row.job}.${row.operation}`);
      if (!entry) return;
      const store = seededStore(parseRunId(row.run)?.operation);
      if (store === undefined) entry.last ??= row;
      else if (!entry.uploads.has(store)) entry.uploads.set(store, row);
      if (isGood(row)) missing -= takeGood(row, entry);
    },
    /** All have a good run; what comes after is older. */
    complete: (): boolean => missing === 0,
    of: ({ job, operation }: Pick<Operation, 'job' | 'operation'>): FoundRuns => {
      const entry = found.get(`${job}.${operation}`);
      return entry ? foundIn(entry) : {};
    },
  };
}

/** An operation, and what its run must cover to count as good. */
export type Wanted = Pick<Operation, 'name' | 'job' | 'operation'> & { covers?: string };

export interface FoundRuns {
  last?: RunRow;
  newestGood?: RunRow;
  someGood?: RunRow;
  /** Parts of what is wanted that no good run has covered. */
  uncovered?: string[];
  /** The last run of each store's first upload that has ended. */
  uploads?: ReadonlyMap<string, RunRow>;
}

interface Collection {
  covers: string | undefined;
  /** For each part of what is wanted, the run that holds its newest state. */
  newest: Map<string, RunRow | undefined>;
  last?: RunRow;
  uploads: Map<string, RunRow>;
}

const collectionOf = ({ covers }: Wanted): Collection => ({
  covers,
  newest: new Map((covers === undefined ? [''] : partsOf(covers)).map((part) => [part, undefined])),
  uploads: new Map(),
});

/** Says of how many parts it is the first good one. */
function takeGood(row: RunRow, entry: Collection): number {
  let found = 0;
  for (const { part, point } of partsIn(row, entry)) {
    const known = entry.newest.get(part);
    if (known === undefined) found += 1;
    entry.newest.set(part, newerGood(known, point ? { ...row, restorePoint: point } : row));
  }
  return found;
}

/** A run from before a resource or a store was added proves nothing for what was added. */
function partsIn(row: RunRow, { covers, newest }: Collection): { part: string; point?: Date }[] {
  const parts = [...newest.keys()];
  if (covers === undefined || covers === row.covers) return parts.map((part) => ({ part }));
  return partsOf(row.covers ?? '')
    .map(splitPoint)
    .filter(({ part }) => newest.has(part));
}

function foundIn({ last, newest, uploads }: Collection): FoundRuns {
  const good = [...newest.values()].flatMap((row) => row ?? []);
  const oldest = good.toSorted((a, b) => pointOf(a) - pointOf(b))[0];
  const uncovered = [...newest].flatMap(([part, row]) => (row ? [] : [part]));
  return {
    ...(last && { last }),
    ...(oldest && { [uncovered.length === 0 ? 'newestGood' : 'someGood']: oldest }),
    uncovered,
    uploads,
  };
}

/** The list is sorted by end; a long run may end after a shorter one that holds a newer state. */
const newerGood = (known: RunRow | undefined, row: RunRow): RunRow =>
  known && pointOf(known) >= pointOf(row) ? known : row;
