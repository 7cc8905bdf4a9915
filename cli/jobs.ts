import { mainOperation, type Operation, operationsOf, storesOf, workerHostOf } from '../config/lookup.js';
import { suggestion } from '../config/mistakes.js';
import type { Config, JobConfig } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';

/** Names as they are typed: found, or answered with the nearest ones. */

/** A job that does not exist is "not found", not a mistake in the file. */
export function findJob(config: Config, name: string): JobConfig {
  const job = Object.hasOwn(config.jobs, name) ? config.jobs[name] : undefined;
  if (job) return job;
  const near = suggestion(name, Object.keys(config.jobs));
  throw new HoldfastError('HF_RUN_NOT_FOUND', `There is no job "${shown(name)}"${near}`, {
    next: '"holdfast status" lists the jobs',
  });
}

/** A host that is named on the command line must be one of the file. */
export function findHost(config: Config, name: string): void {
  if (Object.hasOwn(config.hosts, name)) return;
  const near = suggestion(name, Object.keys(config.hosts));
  throw new HoldfastError('HF_USAGE', `holdfast.yaml has no host "${shown(name)}"${near}`);
}

/** A store likewise; asked for by name only to create or to read it. */
export function findStore(config: Config, name: string): void {
  if (Object.hasOwn(config.stores, name)) return;
  const near = suggestion(name, Object.keys(config.stores));
  throw new HoldfastError('HF_RUN_NOT_FOUND', `There is no store "${shown(name)}"${near}`, {
    next: 'Look at "stores" in holdfast.yaml',
  });
}

/** One operation of a job by name; the main one when none is named. */
export function findOperation(config: Config, job: string, operation: string | undefined): Operation {
  const all = operationsOf(config, job);
  const found = all.find((entry) => (operation === undefined ? entry.main : entry.operation === operation));
  if (found) return found;
  const names = all.map((entry) => entry.operation).join(', ');
  const asked = shown(operation ?? '');
  throw new HoldfastError('HF_USAGE', `The job "${job}" has no operation "${asked}"; it has: ${names}`);
}

/** How old the last success of an operation may be; undefined when nothing is promised. */
export function objectiveMsOf(
  job: JobConfig,
  { operation }: Pick<Operation, 'operation'>,
): number | undefined {
  if (job.kind === 'zfs-scrub') return job.objective.scrub;
  if (job.kind === 'snapraid-maintenance' && operation === 'scrub') return job.objective.scrub;
  if (operation === mainOperation(job)) return job.objective.rpo;
  if (job.kind !== 'restic-backup') return undefined;
  return operation === 'prune' || operation === 'check' ? job.objective[operation] : undefined;
}

/** The worker that handles a resource: of its host, or of the host that drives it. */
export function workerOfResource(config: Config, resource: string): string {
  const host = config.resources[resource]?.host;
  if (host === undefined)
    throw new HoldfastError('HF_CONFIG_INVALID', `There is no resource "${shown(resource)}"`);
  return workerHostOf(config, host);
}

/** Whose worker creates a store: the one named, else the only one whose jobs use it. */
export function hostForStore(config: Config, store: string, named: string | undefined): string {
  if (named !== undefined) {
    findHost(config, named);
    return workerHostOf(config, named);
  }
  const users = Object.values(config.jobs).filter((job) => storesOf(job).includes(store));
  const hosts = [
    ...new Set(users.flatMap((job) => job.resources).map((name) => workerOfResource(config, name))),
  ];
  const [only] = hosts;
  if (only !== undefined && hosts.length === 1) return only;
  const why = hosts.length === 0 ? 'No job uses' : `Hosts ${hosts.join(', ')} use`;
  throw new HoldfastError(
    'HF_USAGE',
    `${why} the store "${store}": say whose worker shall create it with --host NAME`,
  );
}

/** What was typed may be long or odd; messages stay short and on one line. */
export const shown = (text: string): string => {
  const line = text.replace(/\p{C}/gu, '?');
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
};
