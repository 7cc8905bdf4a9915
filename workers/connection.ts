import { setTimeout as wait } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import type { Config } from '../config/schema.js';
import { resolveConnection } from '../schedules/connection.js';
import type { Log } from '../system/log.js';

const retryEveryMs = 2_000;
const sayEvery = 15;

/** A worker that starts before its server (a reboot, an upgrade) waits for it: giving up would leave a host without backups. Undefined when it was asked to end meanwhile. */
export async function connectWorker(
  config: Config,
  log: Log,
  asked: Promise<unknown>,
): Promise<{ connection: NativeConnection; namespace: string } | undefined> {
  const { address, namespace, tls, apiKey, metadata } = resolveConnection(config);
  const options = { address, tls, ...(apiKey && { apiKey }), ...(metadata && { metadata }) };
  const end = asked.then(() => 'asked to end' as const);
  for (let attempt = 0; ; attempt += 1) {
    const connected = await Promise.race([NativeConnection.connect(options), end]).catch(reasonOf);
    if (connected === 'asked to end') return undefined;
    if (connected instanceof NativeConnection) return { connection: connected, namespace };
    if (attempt % sayEvery === 0) log.warn({ address, ...connected }, 'waiting for Temporal');
    if (await Promise.race([wait(retryEveryMs), end])) return undefined;
  }
}

const reasonOf = (error: unknown): { reason: string } => ({
  reason: error instanceof Error ? error.message : '',
});
