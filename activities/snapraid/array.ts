import { jobOf, resourceOf } from '../../config/lookup.js';
import type { SnapraidArrayConfig, SnapraidJob } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { SnapraidStepInput } from '../../contracts/snapraid.js';
import { now } from '../../system/clock.js';
import type { Tools } from '../door.js';
import { checkHostOf, checkRunOfJob } from '../restic/job.js';
import { untilClosedMs, untilOpenMs } from '../zfs/scrub-window.js';
import type { Called } from './command.js';
import { type ArrayConf, parseConf } from './conf.js';

/** An array as this host's own holdfast.yaml and its snapraid.conf know it. */
export interface BareArray {
  tools: Tools;
  resource: string;
  config: SnapraidArrayConfig;
  called: Called;
  smartctl: string;
  conf: ArrayConf;
  /** One at a time on this host, orphans included. */
  lock: string;
}

/** A disk that is not as it must be before anything is compared. */
export interface MissingDisk {
  disk: string;
  why: string;
  /** It is mounted, but it is not the right one, or empty. */
  isThere?: true;
  /** The file that is missing there and should say that it is the right one. */
  marker?: string;
  /** It says of itself that it fails: what it holds can perhaps still be read. */
  isFailing?: true;
}

/** As a step of a run works on it. */
export interface SnapArray extends BareArray {
  input: SnapraidStepInput;
  job: SnapraidJob;
}

/** For a step of a run: only what this host's file joins together. */
export async function openArray(tools: Tools, input: SnapraidStepInput): Promise<SnapArray> {
  const { config, host, run } = tools;
  const job = jobOf(config, input.job);
  if (job.kind !== 'snapraid-maintenance' || !job.resources.includes(input.resource))
    throw refused(`The job "${input.job}" has no array "${input.resource}"`);
  checkRunOfJob(run, input.job);
  checkHostOf(config, input.resource, host.name);
  return { ...(await arrayOf(tools, input.resource)), input, job };
}

/** The array alone: what guards and doctor need. */
export async function arrayOf(tools: Tools, resource: string): Promise<BareArray> {
  const { config, host } = tools;
  const { snapraid: array, host: owner } = resourceOf(config, resource);
  if (!array) throw refused(`The resource "${resource}" is no SnapRAID array`);
  const { snapraid = 'snapraid', smartctl = 'smartctl' } = config.hosts[owner]?.tools ?? {};
  return {
    tools,
    resource,
    config: array,
    called: { file: await host.requireProgram(snapraid), config: array.config },
    smartctl,
    conf: parseConf(await readConf(tools, array.config)),
    lock: `${host.stateFolder}/locks/snapraid-${resource}`,
  };
}

async function readConf({ host }: Tools, file: string): Promise<string> {
  if (await host.exists(file)) return host.readFile(file);
  throw new HoldfastError(
    'HF_SOURCE_MISSING',
    `There is no ${file} on "${host.name}": say where snapraid.conf lies in the resource`,
  );
}

const refused = (what: string): HoldfastError =>
  new HoldfastError(
    'HF_NOT_IN_CONFIG',
    `${what} in this host's holdfast.yaml; give every host the same file`,
  );

/** Our own records of an array, on the machine of the worker. */
export const recordsOf = ({ tools: { host } }: SnapArray): string => `${host.driver.stateFolder}/snapraid`;

/** Until the job's hours begin; 0 while they are. */
export const closedMs = ({ job }: SnapArray): number =>
  untilOpenMs(job.window, job.schedule?.timezone ?? 'UTC', now());

/** What is left of the job's hours: 0 outside of them, undefined when there are none. Milliseconds. */
export const openMs = ({ job }: SnapArray): number | undefined =>
  untilClosedMs(job.window, job.schedule?.timezone ?? 'UTC', now());
