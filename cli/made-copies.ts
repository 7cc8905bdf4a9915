import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { Copy } from '../contracts/jobs.js';
import type { ReplicationLook, ReplicationStepInput } from '../contracts/replication.js';
import type { HostSteps } from '../workflows/steps/on-host.js';
import { valueIn } from './history.js';

/** A replica of which every dataset was proved. */
export interface MadeReplica {
  resource: string;
  store: string;
  datasets: number;
  /** ISO 8601 UTC. */
  restorePoint?: string;
}

export interface Made {
  copies: Copy[];
  replicas: MadeReplica[];
}

const backs: keyof HostSteps = 'resticBackup';
const looks: keyof HostSteps = 'zfsLookAtReplicas';

/** What the steps of a run have made and proved, also of one that failed later and hands nothing back: a step answers only after its proof. */
export function madeIn({ events }: History): Made {
  const asked = new Map<string, { activity: string | null | undefined; input: unknown }>();
  const copies: Copy[] = [];
  const replicas = new Map<string, MadeReplica>();
  for (const { eventId, ...event } of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    const done = event.activityTaskCompletedEventAttributes;
    if (scheduled)
      asked.set(String(eventId), {
        activity: scheduled.activityType?.name,
        input: valueIn(scheduled.input?.payloads?.[0]),
      });
    if (!done) continue;
    const step = asked.get(String(done.scheduledEventId));
    const result = valueIn(done.result?.payloads?.[0]);
    if (step?.activity === backs && result) copies.push(result as Copy);
    if (step?.activity !== looks || !result) continue;
    const replica = replicaOf(step.input, result as ReplicationLook);
    if (replica) replicas.set(`${replica.resource} → ${replica.store}`, replica);
  }
  return { copies, replicas: [...replicas.values()] };
}

/** Only the last look proves, and only a replica of which nothing is stopped or behind is a copy; the way back makes none. */
function replicaOf(input: unknown, look: ReplicationLook): MadeReplica | undefined {
  const { resource, store, back, sendBack } = input as ReplicationStepInput;
  const { proved, stoppedCount, behindCount } = look;
  if (!proved || stoppedCount > 0 || behindCount > 0 || back || sendBack) return undefined;
  const { datasets, restorePoint } = proved;
  return { resource, store, datasets, ...(restorePoint !== undefined && { restorePoint }) };
}
