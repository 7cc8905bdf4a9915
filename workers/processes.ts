import type { Config } from '../config/schema.js';
import { connectClient } from '../schedules/connection.js';
import { ensureNamespaceReady } from '../schedules/namespace.js';
import { createLog } from '../system/log.js';
import { connectWorker } from './connection.js';
import { runUntil, untilAskedToEnd } from './drain.js';
import { createHostWorkers } from './host-worker.js';
import { putBackLeftovers } from './leftovers.js';
import { createOrchestrator } from './orchestrator.js';
import { installRuntime } from './runtime.js';
import { thisHost } from './this-host.js';

export interface ProcessOptions {
  config: Config;
  configFile: string;
}

/** The process of `holdfast worker`: this host's steps, until it is asked to end. */
export async function runWorker({
  config,
  configFile,
  host,
}: ProcessOptions & { host?: string }): Promise<number> {
  const name = thisHost(config, host);
  const log = createLog(`holdfast worker ${name}`);
  installRuntime(log);
  const asked = untilAskedToEnd(log);
  const connected = await connectWorker(config, log, asked);
  if (!connected) return 0;
  const { connection, namespace } = connected;
  const { workers, hosts, close } = await createHostWorkers({
    connection,
    namespace,
    config,
    configFile,
    host: name,
  });
  const running = runUntil(workers, asked);
  await askForLeftovers(config, hosts).catch((error: Error) =>
    log.warn({ reason: error.message }, 'could not ask for what was left changed'),
  );
  log.info({ host: name, hosts, pid: process.pid }, 'worker runs');
  await running;
  close();
  await connection.close();
  return 0;
}

async function askForLeftovers(config: Config, hosts: readonly string[]): Promise<void> {
  const { client, connection } = await connectClient(config);
  for (const host of hosts) await putBackLeftovers(client, host);
  await connection.close();
}

/** The process of `holdfast orchestrator`: the workflows of the estate, until it is asked to end. */
export async function runOrchestrator({ config }: ProcessOptions): Promise<number> {
  const log = createLog('holdfast orchestrator');
  installRuntime(log);
  const asked = untilAskedToEnd(log);
  const connected = await connectWorker(config, log, asked);
  if (!connected) return 0;
  const { connection, namespace } = connected;
  const client = await connectClient(config);
  await ensureNamespaceReady(client.connection, namespace);
  await client.connection.close();
  const orchestrator = await createOrchestrator({ connection, namespace });
  log.info({ pid: process.pid }, 'orchestrator runs');
  await runUntil([orchestrator], asked);
  await connection.close();
  return 0;
}
