import { proxyActivities } from '@temporalio/workflow';
import { hostQueue } from '../contracts/names.js';
import type { ListReplicasInput, ReplicaLag } from '../contracts/replication.js';
import { diagnose } from './steps/failure.js';
import type { HostSteps } from './steps/on-host.js';

/** Asks a host how far its replicas were behind when they were last looked at. A host without a worker is not waited for. */
export async function listReplicas({ host, replicas, limit }: ListReplicasInput): Promise<ReplicaLag[]> {
  const { zfsReplicaLag } = proxyActivities<HostSteps>({
    taskQueue: hostQueue(host),
    scheduleToStartTimeout: '10s',
    startToCloseTimeout: '30s',
    retry: { maximumAttempts: 1 },
    summary: 'list replicas',
  });
  return Promise.all(
    replicas.map(({ resource, store }) =>
      zfsReplicaLag({ resource, store, limit }).catch((error: unknown) => ({
        ...nothing,
        resource,
        store,
        error: diagnose(error).message.slice(0, 300),
      })),
    ),
  );
}

const nothing = { datasets: 0, lagging: 0, lagBytes: 0, worst: [] };
