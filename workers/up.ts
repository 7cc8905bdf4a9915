import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';
import { type AppliedSchedule, applySchedules } from '../schedules/apply.js';
import { compileSchedules } from '../schedules/compile.js';
import { connectClient, resolveConnection } from '../schedules/connection.js';
import { ensureNamespaceReady } from '../schedules/namespace.js';
import { observeSchedules } from '../schedules/observe.js';
import { planSchedules, type ScheduleChange } from '../schedules/plan.js';
import { orphanWords } from '../schedules/words.js';
import { isProcess } from '../system/daemon.js';
import { stateFolder } from '../system/environment.js';
import { localHost } from '../system/local-host.js';
import { createLog, type Log } from '../system/log.js';
import { connectWorker } from './connection.js';
import { runUntil, untilAskedToEnd } from './drain.js';
import { createHostWorkers } from './host-worker.js';
import { keepServer } from './keep-server.js';
import { putBackLeftovers } from './leftovers.js';
import { createOrchestrator } from './orchestrator.js';
import { installRuntime } from './runtime.js';
import { type EmbeddedServer, startServer, stopServer } from './server.js';
import { ensureServerBinary } from './server-binary.js';
import { thisHost } from './this-host.js';

export interface UpOptions {
  config: Config;
  configFile: string;
  host?: string;
  recreateDatabase?: boolean;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Everything for one machine in one command: server, orchestrator, this host's worker, schedules. Ends with exit code 0 when asked. */
export async function runUp({ config, configFile, host, recreateDatabase }: UpOptions): Promise<number> {
  const log = createLog('holdfast up', process.env.HOLDFAST_LOG ?? 'warn');
  const name = thisHost(config, host);
  refuseCluster(config);
  await refuseSecond();
  installRuntime(log);
  const asked = untilAskedToEnd(log);
  const binary = await ensureServerBinary(say);
  const options = { binary, stateFolder: stateFolder(), config };
  const start = (isFirst: boolean) => startServer({ ...options, ...(isFirst && { recreateDatabase }) });
  const server = await keepServer({ start, stop: stopServer }, log);
  try {
    await untilReady(config, server.current());
    const end = Promise.race([asked, server.lost]);
    await runWorkers(config, configFile, name, end, log).catch((error: unknown) => {
      throw server.reason() ?? error;
    });
    // Nothing of this machine would be backed up any more: whoever started us must see it.
    if (server.reason()) throw server.reason();
    return 0;
  } finally {
    await server.stop();
  }
}

async function runWorkers(
  config: Config,
  configFile: string,
  host: string,
  asked: Promise<unknown>,
  log: Log,
): Promise<void> {
  const connected = await connectWorker(config, log, asked);
  if (!connected) return;
  const { connection, namespace } = connected;
  const orchestrator = await createOrchestrator({ connection, namespace });
  const own = await createHostWorkers({ connection, namespace, config, configFile, host });
  const running = runUntil([orchestrator, ...own.workers], asked);
  await Promise.race([announce(config, own.hosts), running]);
  await running;
  own.close();
  await connection.close();
  say('Stopped. Steps that were interrupted are done again at the next start.');
}

/** Said when it is true: schedules applied, worker and Web UI ready. */
async function announce(config: Config, hosts: readonly string[]): Promise<void> {
  const { client, connection } = await connectClient(config);
  const desired = compileSchedules(config);
  const observed = await observeSchedules(
    client,
    desired.map(({ id }) => id),
  );
  const changes = planSchedules(desired, observed);
  const applied = await applySchedules(client, changes, { prune: false });
  for (const host of hosts) await putBackLeftovers(client, host);
  await connection.close();
  for (const line of scheduleLines(changes, applied)) say(line);
  const [own, ...driven] = hosts;
  const others = driven.length > 0 ? `, which drives ${driven.join(', ')},` : '';
  say(`Worker of host ${own}${others} and orchestrator run, pid ${process.pid}.`);
  say(
    `Web UI: http://127.0.0.1:${config.temporal.embedded.uiPort}/namespaces/${config.temporal.namespace}/workflows`,
  );
  say('Ready. Ctrl-C stops the tools that run and ends.');
}

/** Those that the file does not name are no part of the count: they are named. */
export function scheduleLines(
  changes: readonly ScheduleChange[],
  applied: readonly AppliedSchedule[],
): string[] {
  const left = changes.flatMap((change) => (change.kind === 'orphan' ? [change.observed] : []));
  const changed = applied.filter(({ done }) => done === 'created' || done === 'updated').length;
  return [
    `Schedules: ${applied.length - left.length}, ${changed} changed.`,
    ...left.map(({ id, paused }) => orphanWords(id, paused)),
  ];
}

/** Workers and schedules would go to that server, and the embedded one would run for nobody. */
export function refuseCluster(config: Config): void {
  const { address, embedded } = config.temporal;
  const resolved = resolveConnection(config).address;
  const own = [`127.0.0.1:${embedded.port}`, `localhost:${embedded.port}`];
  if (address === undefined && own.includes(resolved)) return;
  const where =
    address === undefined
      ? `The environment (TEMPORAL_ADDRESS, or a profile of the Temporal CLI) names another server (${resolved})`
      : `temporal.address names a server already (${address})`;
  throw new HoldfastError(
    'HF_CONFIG_INVALID',
    `${where}: "holdfast up" is for the embedded one. Start "holdfast orchestrator" and "holdfast worker --host NAME" instead`,
    address === undefined
      ? {
          next: 'Unset TEMPORAL_ADDRESS for the embedded server, or start orchestrator and worker for the other',
        }
      : {},
  );
}

/** Two of them would answer for the same host and stop each other's server. */
async function refuseSecond(): Promise<void> {
  const local = localHost({ name: 'local', stateFolder: stateFolder() });
  const file = `${local.stateFolder}/up.pid`;
  const [pid = '', argument = ''] = (await local.readFile(file).catch(() => '')).split('\n');
  if (pid && Number(pid) !== process.pid && isProcess(Number(pid), argument)) {
    throw new HoldfastError(
      'HF_ALREADY_RUNNING',
      `"holdfast up" runs already as pid ${pid} with the state folder ${local.stateFolder}`,
      { next: 'Use that one ("holdfast status" in any shell), or end it first with Ctrl-C or SIGTERM' },
    );
  }
  await local.writeFile(file, `${process.pid}\n${process.argv[1] ?? ''}\n`);
}

const readyWithinMs = 60_000;

/** The server answers, has our namespace, and keeps histories long enough. */
async function untilReady(config: Config, { daemon }: EmbeddedServer): Promise<void> {
  let gone = false;
  void daemon.ended.then(() => {
    gone = true;
  });
  const { namespace, address } = resolveConnection(config);
  for (let waitedMs = 0; waitedMs < readyWithinMs && !gone; waitedMs += 200) {
    const client = await connectClient(config).catch(() => undefined);
    if (client) {
      await ensureNamespaceReady(client.connection, namespace);
      return client.connection.close();
    }
    await wait(200);
  }
  const log = `${stateFolder()}/logs/temporal-server.log`;
  throw new HoldfastError(
    'HF_TEMPORAL_UNREACHABLE',
    `The embedded server does not answer at ${address}; its log: ${log}`,
  );
}
