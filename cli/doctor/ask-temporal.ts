import type { Config } from '../../config/schema.js';
import { workflowQueue } from '../../contracts/names.js';
import { compileSchedules } from '../../schedules/compile.js';
import { inspectNamespace } from '../../schedules/inspect-namespace.js';
import { observeSchedules } from '../../schedules/observe.js';
import { planSchedules } from '../../schedules/plan.js';
import type { Temporal } from '../context.js';
import { dateOf } from '../look.js';
import type { TemporalFacts } from './judge-temporal.js';

/** What Temporal says about itself and about our schedules; changes nothing. */
export async function askTemporal(temporal: Temporal, config: Config, now: Date): Promise<TemporalFacts> {
  const { address, namespace, connection } = temporal;
  const state = await inspectNamespace(connection, namespace);
  const facts = { address, namespace, state };
  if (!state.exists) return { ...facts, orchestrators: 0, schedules: [] };
  const desired = compileSchedules(config);
  const [orchestrators, observed] = await Promise.all([
    countOrchestrators(temporal, now),
    observeSchedules(
      temporal.client,
      desired.map(({ id }) => id),
    ),
  ]);
  return { ...facts, orchestrators, schedules: planSchedules(desired, observed) };
}

/** A worker asks for work at least once a minute; the server remembers who asked for five. */
const pollerFreshMs = 75_000;
const workflowTasks = 1;

async function countOrchestrators({ client, namespace }: Temporal, now: Date): Promise<number | undefined> {
  try {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: workflowQueue },
      taskQueueType: workflowTasks,
    });
    return (pollers ?? []).filter(
      ({ lastAccessTime }) => now.getTime() - (dateOf(lastAccessTime)?.getTime() ?? 0) < pollerFreshMs,
    ).length;
  } catch {
    return undefined;
  }
}
