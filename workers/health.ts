import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { findConfigFile } from '../config/find-file.js';
import { loadConfig } from '../config/load.js';
import { HoldfastError } from '../contracts/errors.js';
import { hostQueue, workflowQueue } from '../contracts/names.js';
import { connectClient } from '../schedules/connection.js';
import { thisHost } from './this-host.js';

/** For the HEALTHCHECK of the images: 0 when the server has heard of this process lately, 1 otherwise. */

/** A worker that is fine asks again at least every minute. */
const freshMs = 150_000;

type QueueKind = 1 | 2;
const kinds: Record<'workflow' | 'activity', QueueKind> = { workflow: 1, activity: 2 };

/** When somebody of this identity last asked for work; a process that runs and does not ask is of no use. */
export async function lastAsked(
  client: Client,
  queue: { name: string; kind: keyof typeof kinds; identity: string },
): Promise<number | undefined> {
  const { namespace } = client.options;
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue.name },
    taskQueueType: kinds[queue.kind],
  });
  const times = (pollers ?? [])
    .filter(({ identity }) => identity === queue.identity)
    .map(({ lastAccessTime }) => optionalTsToMs(lastAccessTime) ?? 0);
  return times.length === 0 ? undefined : Math.max(...times);
}

async function health(role: string | undefined, named: string | undefined): Promise<string> {
  const config = loadConfig(findConfigFile(process.env));
  const name = role === 'orchestrator' ? role : thisHost(config, named);
  const queue =
    role === 'orchestrator'
      ? ({ name: workflowQueue, kind: 'workflow' } as const)
      : ({ name: hostQueue(name), kind: 'activity' } as const);
  const { client, connection } = await connectClient(config);
  try {
    const asked = await lastAsked(client, { ...queue, identity: `holdfast@${name}` });
    const ago = asked === undefined ? undefined : Date.now() - asked;
    if (ago !== undefined && ago < freshMs) return `${name} asked for work ${Math.round(ago / 1000)} s ago`;
    throw new HoldfastError('HF_TEMPORAL_UNREACHABLE', `${name} has not asked Temporal for work lately`);
  } finally {
    await connection.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${await health(process.argv[2], process.argv[3])}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
