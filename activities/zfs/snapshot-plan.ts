import { HoldfastError } from '../../contracts/errors.js';
import { parseRunId } from '../../contracts/names.js';
import { isBelow } from './dataset-names.js';
import { ownProperties } from './list-command.js';
import { type Selection, selectDatasets } from './select.js';
import type { Dataset, Listing, Snapshot } from './types.js';

/** Which snapshots a run takes, and by which commands. Pure: a listing in, arguments out. */

export interface SnapshotQuestion {
  job: string;
  run: string;
  /** With {job} and {time}. */
  pattern: string;
  resources: readonly (Selection & { resource: string })[];
  listing: Listing;
}

export interface PlannedResource {
  resource: string;
  root: string;
  /** Every dataset that must have the snapshot afterwards. */
  datasets: Dataset[];
}

export interface SnapshotPlan {
  /** What stands after "@", in every dataset. */
  name: string;
  resources: PlannedResource[];
  /** Arguments of zfs, one command each; none when all is there already. */
  commands: string[][];
  /** An earlier attempt has made some of them. */
  adopted: boolean;
  /** The datasets of one pool do not fit into one command: not all of one moment. */
  parts: number;
}

/** Far below what a system takes for all arguments of a program (2 MiB on Linux with the usual stack). */
const mostArgumentBytes = 1_000_000;

/** The name is made from the RUN, so that two attempts of one run can never make two sets. */
export function snapshotName(pattern: string, job: string, run: string): string {
  const time = parseRunId(run)?.time.replace('T', '_').replaceAll(':', '-') ?? '';
  return pattern.replaceAll('{job}', job).replaceAll('{time}', time);
}

/** Looks for what an earlier attempt has made first, and asks only for the rest. */
export function planSnapshots(question: SnapshotQuestion): SnapshotPlan {
  const { job, run, pattern, listing } = question;
  const name = snapshotName(pattern, job, run);
  const selected = question.resources.map((resource) => {
    const { datasets, whole } = selectDatasets(listing, resource);
    if (datasets.length === 0) throw nothingSelected(resource, listing);
    return { resource: resource.resource, root: resource.dataset, datasets, whole };
  });
  const chosen = [...new Set(selected.flatMap(({ datasets }) => datasets))];
  checkNames(chosen, name, run);
  const made = chosen.filter((dataset) => ownSnapshot(dataset, name, run));
  const firstTxgs = firstTxgsOf(made, (dataset) => ownSnapshot(dataset, name, run));
  // Born after the moment of the run: it has no state of that moment to keep. In a pool that has none yet, the moment is still to come.
  const isDue = (dataset: Dataset): boolean =>
    !ownSnapshot(dataset, name, run) &&
    dataset.createtxg <= (firstTxgs.get(poolOf(dataset.name)) ?? Infinity);
  const due = chosen.filter(isDue);
  const whole = made.length === 0 && selected.every((one) => one.whole);
  const batches = whole ? poolsOf(outermost(selected.map(({ root }) => root))) : poolsOf(namesOf(due));
  const pieces = batches.flatMap((names) => split(names, name));
  return {
    name,
    resources: selected.map(({ resource, root, datasets }) => ({
      resource,
      root,
      datasets: datasets.filter((dataset) => ownSnapshot(dataset, name, run) || isDue(dataset)),
    })),
    commands: pieces.map((names) => snapshotArguments(names, { name, run, job, recursive: whole })),
    adopted: made.length > 0,
    parts: pieces.length - batches.length + 1,
  };
}

const namesOf = (datasets: readonly Dataset[]): string[] => datasets.map(({ name }) => name);

/** The snapshot of this very run, by what it says about itself. */
export const ownSnapshot = (dataset: Dataset, name: string, run: string): Snapshot | undefined =>
  dataset.snapshots.find((snapshot) => snapshot.name === name && snapshot.run === run);

function nothingSelected(
  { resource, dataset }: Selection & { resource: string },
  listing: Listing,
): HoldfastError {
  const message = listing.has(dataset)
    ? `"${resource}": include and exclude leave no dataset of ${dataset}. Look at them in holdfast.yaml`
    : `"${resource}": there is no dataset ${dataset}. Nothing was done`;
  return new HoldfastError('HF_DATASET_MISSING', message.slice(0, 300));
}

function checkNames(datasets: readonly Dataset[], name: string, run: string): void {
  for (const dataset of datasets) {
    if (dataset.name.length + 1 + name.length > 255) {
      const message = `${dataset.name.slice(0, 100)}…@${name} would be longer than the 255 characters that ZFS takes. Give the job a shorter "name"`;
      throw new HoldfastError('HF_CONFIG_INVALID', message.slice(0, 300));
    }
    const other = dataset.snapshots.find((snapshot) => snapshot.name === name && snapshot.run !== run);
    if (!other) continue;
    const message = `${dataset.name}@${name} is there already and was not made by this run. Nothing was done; look at who made it`;
    throw new HoldfastError('HF_SNAPSHOT_EXISTS', message.slice(0, 300));
  }
}

const poolOf = (name: string): string => name.split('/')[0] ?? name;

/** The moment of each pool that has some of the run's snapshots. Each pool counts its txgs by itself: those of two say nothing about each other. */
function firstTxgsOf(
  made: readonly Dataset[],
  ownOf: (dataset: Dataset) => Snapshot | undefined,
): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const dataset of made) {
    const pool = poolOf(dataset.name);
    first.set(pool, Math.min(first.get(pool) ?? Infinity, ownOf(dataset)?.createtxg ?? Infinity));
  }
  return first;
}

/** ZFS takes one moment for what lies in one pool. */
function poolsOf(names: readonly string[]): string[][] {
  const pools = new Map<string, string[]>();
  for (const name of names) pools.set(poolOf(name), [...(pools.get(poolOf(name)) ?? []), name]);
  return [...pools.values()];
}

/** A root inside another one is taken with it. */
const outermost = (roots: readonly string[]): string[] =>
  [...new Set(roots)].filter((root) => !roots.some((other) => isBelow(root, other)));

function split(names: readonly string[], name: string): string[][] {
  const pieces: string[][] = [];
  let room = 0;
  for (const one of names) {
    const bytes = Buffer.byteLength(one) + name.length + 10;
    if (bytes > room) {
      pieces.push([]);
      room = mostArgumentBytes;
    }
    room -= bytes;
    pieces.at(-1)?.push(one);
  }
  return pieces;
}

function snapshotArguments(
  names: readonly string[],
  { name, run, job, recursive }: { name: string; run: string; job: string; recursive: boolean },
): string[] {
  const says = ['-o', `${ownProperties.run}=${run}`, '-o', `${ownProperties.job}=${job}`];
  return ['snapshot', ...(recursive ? ['-r'] : []), ...says, ...names.map((one) => `${one}@${name}`)];
}
