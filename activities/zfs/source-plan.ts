import { HoldfastError } from '../../contracts/errors.js';
import { parseRunId } from '../../contracts/names.js';
import type { Host } from '../../system/host.js';

/** A dataset that is read by another tool: its snapshots, each in a folder of its own, at a place that is the same in every run. */

/** Another machine's datasets, which this one has mounted. */
export interface Through {
  directory: string;
  /** The dataset that is mounted there. */
  root: string;
}

export interface SourcePlan {
  /** What stands after "@". */
  snapshot: string;
  /** ISO 8601 UTC: of this moment is what is read. */
  restorePoint: string;
  /** The datasets that are read, by name. */
  datasets: string[];
  /** Theirs, in the same order. Absent in what an older version has written. */
  guids?: string[];
  /** They are read through a mount on the machine that drives the host. */
  through?: Through;
}

export interface OfRun {
  job: string;
  run: string;
  resource: string;
  /** Of a run that reads several times, each time from other snapshots. */
  portion?: number;
}

/**
 * The same in every run of an operation: a tool that finds its last copy by the path reads only what changed since. The first upload to a store
 * has a place of its own, because it goes on beside the others.
 */
export function readingFolder({ stateFolder }: Host, { job, resource, run }: OfRun): string {
  const { operation } = parseRunId(run) ?? {};
  return `${stateFolder}/reading/${job}.${resource}${operation === undefined ? '' : `.${operation}`}`;
}

/** A snapshot cannot be mounted inside of another one, so the tree lies flat: `fast%2Fkubernetes%2Fpvc-1`. */
export const folderName = (dataset: string): string => dataset.replaceAll('%', '%25').replaceAll('/', '%2F');

/** "photos", and "photos.3" when a run reads it for the third time. */
export const reading = ({ resource, portion }: Pick<OfRun, 'resource' | 'portion'>): string =>
  portion === undefined ? resource : `${resource}.${portion}`;

const fileOf = ({ driver }: Host, of: OfRun): string =>
  `${driver.stateFolder}/zfs/${of.run}.${reading(of)}.source.json`;

export async function writeSourcePlan(host: Host, of: OfRun, plan: SourcePlan): Promise<void> {
  await host.driver.makeFolder(`${host.driver.stateFolder}/zfs`);
  await host.driver.writeFile(fileOf(host, of), JSON.stringify(plan));
}

/** What this run has planned to read. */
export async function readSourcePlan(host: Host, of: OfRun): Promise<SourcePlan> {
  const file = fileOf(host, of);
  if (await host.driver.exists(file)) return JSON.parse(await host.driver.readFile(file)) as SourcePlan;
  const message = `The snapshots of "${of.resource}" were not made ready by the run ${of.run}. Start the job again`;
  throw new HoldfastError('HF_SOURCE_MISSING', message);
}

export async function hasSourcePlan(host: Host, of: OfRun): Promise<boolean> {
  return host.driver.exists(fileOf(host, of));
}
