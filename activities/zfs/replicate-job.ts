import { jobOf, replicaStoreOf, resourceOf, storesOf, workerHostOf } from '../../config/lookup.js';
import type { Config, ZfsReplicationJob } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { ReplicationStepInput } from '../../contracts/replication.js';
import type { Tools } from '../door.js';
import { checkHostOf, checkRunOfJob } from '../restic/job.js';
import { selectionOf } from './job.js';
import type { Zfs } from './listing.js';
import { roomOf } from './pool-room.js';
import { type Way, wayBack, withoutUnfinished } from './replicate-back.js';
import type { Ends } from './replicate-ends.js';
import { hostEnds } from './replicate-hosts.js';
import { destinationOf, isParked, wayBackOf } from './replicate-names.js';
import { rateMeter } from './replicate-progress.js';
import type { SurveyRequest } from './replicate-survey.js';
import type { ReplicationPolicy } from './replicate-types.js';
import { type Wire, wireBetween } from './replicate-wire.js';
import { roleOf } from './role.js';
import { pathSelector } from './select-paths.js';
import { zfsOn } from './zfs-on.js';

/** From names to both ends: what a replication may touch is what this host's own holdfast.yaml joins together. */

export interface Replication {
  job: ZfsReplicationJob;
  request: SurveyRequest;
  ends: Ends;
  /** What stands between them; HF_TOOL_MISSING where it cannot be. A look that finds nothing to send does not ask. */
  wire: () => Promise<Wire>;
  /** Where it is sent from and to: the other way round when it is brought back. */
  source: Zfs;
  target: Zfs;
  /** What had arrived before this attempt, added to all that it says of its progress. */
  counter: { alreadyBytes: number };
}

export async function openReplication(tools: Tools, input: ReplicationStepInput): Promise<Replication> {
  const job = replicationJob(tools, input);
  const way = input.sendBack ? wayBack(tools, input, job) : wayThere(tools, input, job);
  const { source, target, sourceRoot, targetRoot, policy } = way;
  let asked: Promise<Wire> | undefined;
  const wire = (): Promise<Wire> => {
    asked ??= wireBetween(job, source.host, target.host);
    return asked;
  };
  const counter = { alreadyBytes: 0 };
  const meter = rateMeter();
  const ends = hostEnds({
    source,
    sourceRoot,
    target,
    targetRoot,
    wire,
    log: tools.log,
    progress: (at) => tools.progress({ phase: 'sending', ...meter({ ...at, ...counter }) }),
    noProgressAfterMs: job.noProgressAfter,
    room: { look: (signal) => roomOf({ ...target, signal }, tools.config, targetRoot) },
  });
  return {
    job,
    wire,
    counter,
    source,
    target,
    request: { sourceRoot, targetRoot, policy },
    ends: input.sendBack ? withoutUnfinished(ends) : input.back ? withoutKept(ends) : ends,
  };
}

/** As ever, or from a replica that is in use back to its source: then the steps run where the replica is. */
function wayThere(tools: Tools, input: ReplicationStepInput, job: ZfsReplicationJob): Way {
  const { config, host } = tools;
  if (input.back) checkHostOfStore(config, input.store, host.name);
  else checkHostOf(config, input.resource, host.name);
  const original = zfsOn(tools, resourceOf(config, input.resource).host);
  const replica = zfsOn(tools, replicaStoreOf(config, input.store).host);
  const [source, target] = input.back ? [replica, original] : [original, replica];
  return { source, target, ...requestOf(config, job, input) };
}

/** What is looked at and how it is judged, in either direction. */
export function requestOf(
  config: Config,
  job: ZfsReplicationJob,
  input: Pick<ReplicationStepInput, 'resource' | 'store' | 'back'>,
): Pick<Way, 'sourceRoot' | 'targetRoot' | 'policy'> {
  const selection = selectionOf(config, input.resource);
  const { excludes, onlyLeads } = pathSelector(selection);
  const replicaRoot = `${replicaStoreOf(config, input.store).dataset}/${input.resource}`;
  const policy: ReplicationPolicy = {
    destination: destinationOf(input),
    snapshots: job.snapshots,
    takenToRead: jobsThatRead(config),
    catchUp: job.catchUp,
    encrypted: job.encrypted,
    // What a failback has put aside over here is no data of the job's.
    excludes: (below: string) => isParked(below) || excludes(below),
    onlyLeads,
  };
  if (!input.back) {
    const keep = job.keep && { keep: job.keep, timezone: job.schedule?.timezone };
    return { sourceRoot: selection.dataset, targetRoot: replicaRoot, policy: { ...policy, ...keep } };
  }
  return {
    sourceRoot: replicaRoot,
    targetRoot: selection.dataset,
    // What was received carries no run of ours, so all of it travels back.
    policy: { ...policy, destination: wayBackOf(input), snapshots: 'all' },
  };
}

/** A snapshot that a backup took to read from it goes with the backup: a replica would keep what its source never meant to. */
const jobsThatRead = ({ jobs }: Config): Set<string> =>
  new Set(Object.entries(jobs).flatMap(([name, { kind }]) => (kind === 'restic-backup' ? [name] : [])));

/** What was never in use on the replica's side is not brought back: replicas whose source had gone, and what was parked. */
const withoutKept = (ends: Ends): Ends => ({
  ...ends,
  listAsides: async () => new Map(),
  async list(side) {
    const listing = await ends.list(side);
    if (side === 'target') return listing;
    return new Map(
      [...listing].filter(([name, dataset]) => roleOf(dataset)?.kind !== 'kept' && !isParked(name)),
    );
  },
});

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

/** What is brought back, and what takes over, is worked on from where the replica is: the other side may be gone. */
export function checkHostOfStore(config: Config, store: string, host: string): void {
  const owner = workerHostOf(config, replicaStoreOf(config, store).host);
  if (owner !== host) throw refused(`The store "${store}" is worked on by "${owner}", not by "${host}"`);
}
