import { jobOf, resourceOf, storesOf, workerHostOf } from '../../config/lookup.js';
import type { Config, ResticBackupJob } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import { parseRunId } from '../../contracts/names.js';

/** Whoever starts a workflow can only ask for what this host's own holdfast.yaml joins together. */

export interface Asked {
  job: string;
  resource?: string;
  store?: string;
}

/** The job, when it really lists the resource and the store that a step names. */
export function jobWith(config: Config, { job, resource, store }: Asked): ResticBackupJob {
  const found = jobOf(config, job);
  if (found.kind !== 'restic-backup')
    throw refused(`The job "${job}" is none of restic, but of the kind ${found.kind},`);
  if (resource !== undefined && !found.resources.includes(resource)) {
    throw refused(`The job "${job}" has no resource "${resource}"`);
  }
  if (store !== undefined && !storesOf(found).includes(store)) {
    throw refused(`The job "${job}" has no store "${store}"`);
  }
  return found;
}

/** What the file says of retention. A schedule outlives its lines there until somebody takes it away, and must not delete by itself. */
export function retentionOf(job: string, { keep, prune }: Pick<ResticBackupJob, 'keep' | 'prune'>) {
  if (keep && prune) return { keep, maxUnused: prune.maxUnused };
  throw new HoldfastError(
    'HF_NOTHING_TO_DO',
    `The job "${job}" has no "${keep ? 'prune' : 'keep'}": nothing is ever removed`,
    { next: '"holdfast apply --prune" takes schedules away that the file does not name any more' },
  );
}

/** The run's tag goes onto snapshots of the job: a run of another job must not write it. */
export function checkRunOfJob(run: string, job: string): void {
  if (parseRunId(run)?.job !== job) throw refused(`The run "${run}" is not one of the job "${job}"`);
}

/** A step that landed on the wrong machine would read another folder of the same name. */
export function checkHostOf(config: Config, resource: string, host: string): void {
  const owner = workerHostOf(config, resourceOf(config, resource).host);
  if (owner !== host)
    throw refused(`The resource "${resource}" is worked on by "${owner}", not by "${host}"`);
}

const refused = (what: string): HoldfastError =>
  new HoldfastError(
    'HF_NOT_IN_CONFIG',
    `${what} in this host's holdfast.yaml; give every host the same file`,
  );
