import { setTimeout as wait } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import type { Config } from '../config/schema.js';
import { resolveConnection } from '../schedules/connection.js';
import type { Log } from '../system/log.js';

const retryEveryMs = 2_000;
const sayEvery = 15;

/** A worker that starts before its server (a reboot, an upgrade) waits for it: giving up would leave a host without backups. */
export async function connectWorker(
  config: Config,
  log: Log,
): Promise<{ connection: NativeConnection; namespace: string }> {
  const { address, namespace, tls, apiKey, metadata } = resolveConnection(config);
  for (let attempt = 0; ; attempt += 1) {
    try {
      const connection = await NativeConnection.connect({
        address,
        tls,
        ...(apiKey && { apiKey }),
        ...(metadata && { metadata }),
      });
      return { connection, namespace };
    } catch (error) {
      if (attempt % sayEvery === 0)
        log.warn({ address, reason: error instanceof Error ? error.message : '' }, 'waiting for Temporal');
      await wait(retryEveryMs);
    }
  }
}
