import { randomUUID } from 'node:crypto';
import { storesOf } from '../config/lookup.js';
import type { Config } from '../config/schema.js';
import { workflowQueue, workflowTypes } from '../contracts/names.js';
import type { ListReplicasInput, ReplicaLag, ReplicaState } from '../contracts/replication.js';
import type { Context, Temporal } from './context.js';
import { describeFailure } from './fail.js';
import { findJob, workerOfResource } from './jobs.js';
import { hasWorker } from './look.js';
import { printable } from './printable.js';
import { bytes, table } from './render.js';
import { age, duration } from './time.js';

/** `status JOB` of a replication: which of its datasets are furthest behind, as the hosts that drive them have proved. */

const answerWithinMs = 20_000;
const shownOfEach = 5;

/** A host that does not answer is no reason to show no status. */
export async function readReplicaLags(
  context: Context,
  temporal: Temporal,
  config: Config,
  job: string,
): Promise<ReplicaLag[]> {
  const found = findJob(config, job);
  if (found.kind !== 'zfs-replication') return [];
  const hosts = new Set(found.resources.map((resource) => workerOfResource(config, resource)));
  const lags = await Promise.all(
    [...hosts].map(async (host) => {
      const replicas = found.resources
        .filter((resource) => workerOfResource(config, resource) === host)
        .flatMap((resource) => storesOf(found).map((store) => ({ resource, store })));
      const silent = (error: string): ReplicaLag[] =>
        replicas.map((of) => ({ ...of, datasets: 0, lagging: 0, lagBytes: 0, worst: [], error }));
      if ((await hasWorker(temporal, host, context.now())) === false)
        return silent(`no worker of host ${host} answers, and it knows`);
      return ask(temporal, { host, replicas, limit: shownOfEach }).catch((error: unknown) =>
        silent(describeFailure(error).message),
      );
    }),
  );
  return lags.flat();
}

const ask = ({ client }: Temporal, question: ListReplicasInput): Promise<ReplicaLag[]> =>
  client.workflow.execute<(input: ListReplicasInput) => Promise<ReplicaLag[]>>(workflowTypes.listReplicas, {
    workflowId: `replicas-${randomUUID()}`,
    taskQueue: workflowQueue,
    args: [question],
    workflowExecutionTimeout: answerWithinMs,
  });

/** A sentence for each replica, and below them the datasets that are furthest behind. */
export function replicaLines(context: Context, lags: readonly ReplicaLag[]): string[] {
  const now = context.now().getTime();
  const rows = lags.flatMap(({ store, worst }) => worst.map((state) => rowOf(store, state, now)));
  const head = ['dataset', 'store', 'newest there', 'age', 'behind by', 'bytes', 'state'];
  return [
    ...lags.map((lag) => printable(sentence(lag, now))),
    ...(rows.length > 0 ? ['', table(context, head, rows)] : []),
  ];
}

function sentence(
  { resource, store, at, datasets, lagging, lagBytes, error }: ReplicaLag,
  now: number,
): string {
  const name = `${resource} in ${store}`;
  if (error !== undefined) return `${name}: how far it is behind is not known: ${error}`;
  if (at === undefined) return `${name}: no run has looked at it yet`;
  const when = `looked at ${age(now - Date.parse(at))} ago`;
  if (lagging === 0) return `${name}: all ${datasets} datasets held the newest snapshot, ${when}`;
  return `${name}: ${lagging} of ${datasets} datasets were behind, by at most ${bytes(lagBytes)} in all, ${when}`;
}

function rowOf(
  store: string,
  { source, kind, common, lagMs, lagBytes }: ReplicaState,
  now: number,
): string[] {
  return [
    source,
    store,
    common ? `@${common.name}` : 'nothing',
    common ? age(now - common.creationS * 1000) : '-',
    lagMs === undefined ? '-' : duration(lagMs),
    bytes(lagBytes),
    kind,
  ];
}
