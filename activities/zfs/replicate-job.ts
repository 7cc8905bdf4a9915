import { jobOf, replicaStoreOf, storesOf } from '../../config/lookup.js';
import type { ZfsReplicationJob } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { ReplicationStepInput } from '../../contracts/replication.js';
import type { Command, Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { checkHostOf, checkRunOfJob } from '../restic/job.js';
import { openZfs, selectionOf } from './job.js';
import type { Zfs } from './listing.js';
import { wayBack, withoutUnfinished } from './replicate-back.js';
import type { Ends } from './replicate-ends.js';
import { hostEnds } from './replicate-hosts.js';
import { destinationOf } from './replicate-names.js';
import { rateMeter } from './replicate-progress.js';
import type { SurveyRequest } from './replicate-survey.js';
import type { ReplicationPolicy } from './replicate-types.js';
import { pathSelector } from './select-paths.js';
import { zfsOn } from './zfs-on.js';

/** From names to both ends: what a replication may touch is what this host's own holdfast.yaml joins together. */

export interface Replication {
  job: ZfsReplicationJob;
  request: SurveyRequest;
  ends: Ends;
  /** Where the replicas lie. */
  target: Zfs;
  /** What had arrived before this attempt, added to all that it says of its progress. */
  counter: { alreadyBytes: number };
}

/** Which pools are joined, and how. */
export interface Way {
  source: Zfs;
  sourceRoot: string;
  target: Zfs;
  targetRoot: string;
  policy: ReplicationPolicy;
}

export async function openReplication(tools: Tools, input: ReplicationStepInput): Promise<Replication> {
  const job = replicationJob(tools, input);
  const way = input.sendBack ? wayBack(tools, input, job) : wayThere(tools, input, job);
  const { source, target, sourceRoot, targetRoot, policy } = way;
  const { onSource, onTarget } = await betweenBoth(job, source.host, target.host);
  const counter = { alreadyBytes: 0 };
  const meter = rateMeter();
  const ends = hostEnds({
    source,
    sourceRoot,
    target,
    targetRoot,
    onSource,
    onTarget,
    log: tools.log,
    progress: (at) => tools.progress({ phase: 'sending', ...meter({ ...at, ...counter }) }),
    noProgressAfterMs: job.noProgressAfter,
  });
  return {
    job,
    counter,
    target,
    request: { sourceRoot, targetRoot, policy },
    ends: input.sendBack ? withoutUnfinished(ends) : ends,
  };
}

function wayThere(tools: Tools, input: ReplicationStepInput, job: ZfsReplicationJob): Way {
  const { config, host } = tools;
  checkHostOf(config, input.resource, host.name);
  const place = replicaStoreOf(config, input.store);
  const selection = selectionOf(config, input.resource);
  return {
    source: openZfs(tools, input.resource),
    sourceRoot: selection.dataset,
    target: zfsOn(tools, place.host),
    targetRoot: `${place.dataset}/${input.resource}`,
    policy: {
      destination: destinationOf(input),
      snapshots: job.snapshots,
      catchUp: job.catchUp,
      encrypted: job.encrypted,
      excludes: pathSelector(selection),
      ...(job.keep && { keep: job.keep, timezone: job.schedule?.timezone }),
    },
  };
}

function replicationJob({ config }: Tools, input: ReplicationStepInput & { group?: number }) {
  const { job, run, resource, store, round, group = 0 } = input;
  const found = jobOf(config, job);
  if (found.kind !== 'zfs-replication') throw refused(`The job "${job}" replicates nothing`);
  if (!found.resources.includes(resource)) throw refused(`The job "${job}" has no resource "${resource}"`);
  if (!storesOf(found).includes(store)) throw refused(`The job "${job}" has no store "${store}"`);
  checkRunOfJob(run, job);
  // They become part of file names: whoever starts a workflow may have sent any text.
  const isCount = (number: unknown): boolean => Number.isSafeInteger(number) && Number(number) >= 0;
  if (!isCount(round) || !isCount(group)) throw refused('A round or group that is no number');
  return found;
}

const refused = (what: string): HoldfastError =>
  new HoldfastError(
    'HF_NOT_IN_CONFIG',
    `${what} in this host's holdfast.yaml; give every host the same file`,
  );

/** Programs between sender and receiver; asked for first, because a pipe that breaks says little. */
async function betweenBoth(
  { compress, limit }: ZfsReplicationJob,
  source: Host,
  target: Host,
): Promise<{ onSource: Command[]; onTarget: Command[] }> {
  const onSource: Command[] = [];
  const onTarget: Command[] = [];
  if (compress) {
    onSource.push({ file: await source.requireProgram('zstd'), args: ['-q', '-3', '-c'] });
    onTarget.push({ file: await target.requireProgram('zstd'), args: ['-q', '-d', '-c'] });
  }
  if (limit !== undefined)
    onSource.push({
      file: await source.requireProgram('mbuffer'),
      args: ['-q', '-m', '16M', '-r', String(limit)],
    });
  return { onSource, onTarget };
}
