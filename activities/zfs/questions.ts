import { jobOf, resourceOf, storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import type { ListDatasetCopiesStep, StoreCopies } from '../../contracts/copies.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { ListReplicasStep, ReplicaLag } from '../../contracts/replication.js';
import type { Host } from '../../system/host.js';
import { listDatasetCopies } from './copies.js';
import { lagIn } from './replicate-lag.js';
import { readReplicaStates } from './replicate-states.js';

/** What is asked outside of any run: nothing is changed; what earlier runs have proved is told, and which snapshots there are. */

export interface ZfsQuestionOptions {
  host: Host;
  config: () => Config;
  /** Another machine by its name, for snapshots that lie there. */
  machine: (name: string) => Host;
  /** The door for short questions: see run.ts. */
  answer: <O>(body: (signal: AbortSignal) => Promise<O>) => Promise<O>;
}

export function createZfsQuestions({ host, config, machine, answer }: ZfsQuestionOptions) {
  return {
    zfsListCopies: (step: ListDatasetCopiesStep): Promise<StoreCopies> =>
      answer((signal) => listDatasetCopies({ host, machine, config: config(), signal }, step)),
    /** How far a replica was behind when it was last looked at. */
    zfsReplicaLag: (step: ListReplicasStep): Promise<ReplicaLag> =>
      answer(() => replicaLag(host, config(), step)),
  };
}

/** Names become part of a file's name: only those that this host's own file joins. */
export async function replicaLag(
  host: Host,
  config: Config,
  { resource, store, limit }: ListReplicasStep,
): Promise<ReplicaLag> {
  const isReplicated = Object.keys(config.jobs).some((name) => {
    const job = jobOf(config, name);
    return (
      job.kind === 'zfs-replication' && job.resources.includes(resource) && storesOf(job).includes(store)
    );
  });
  if (!isReplicated || resourceOf(config, resource).host !== host.name)
    throw new HoldfastError(
      'HF_NOT_IN_CONFIG',
      `No job in this host's holdfast.yaml replicates "${resource.slice(0, 63)}" to "${store.slice(0, 63)}" from here; give every host the same file`,
    );
  const states = await readReplicaStates(host, { resource, store });
  if (!states) return { resource, store, datasets: 0, lagging: 0, lagBytes: 0, worst: [] };
  return lagIn({ resource, store }, states, Math.min(limit, 20));
}
