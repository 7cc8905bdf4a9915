import { HoldfastError } from '../../contracts/errors.js';
import { ticks, wait } from '../../system/clock.js';
import { startDaemon } from '../../system/daemon.js';
import { freePort } from '../../system/free-port.js';
import type { Host, RunResult } from '../../system/host.js';
import { freeMemoryBytes } from '../../system/memory.js';
import { endRecorded, type Recorded, runningIn, signalRecorded, untilEnded } from '../../system/recorded.js';
import {
  environmentOf,
  isHere,
  makePrograms,
  type Programs,
  processesOf,
  scratchFile,
} from './drill-programs.js';
import type { Stage } from './drill-stage.js';
import { wordsOf } from './machine.js';

/** An engine of its own for a scene: a Temporal server, an orchestrator and a worker, on other ports and in another namespace than the estate's. */

export interface Engine {
  /** Our command line, to its end. */
  holdfast(...args: string[]): Promise<RunResult>;
  startWorker(): void;
  /** Those of this program ("restic-backup") that run. */
  running(name: string): Promise<Recorded[]>;
  /** Asks everything to end; answers what did not. */
  leave(): Promise<Recorded[]>;
  /** Ends everything, whatever came before. */
  end(): Promise<void>;
}

const neededMemoryBytes = 700 * 2 ** 20;
const readyWithinMs = 90_000;
const endsWithinMs = 30_000;

/** The engine with its server and its orchestrator, or why there can be none on this host. */
export async function openEngine(stage: Stage): Promise<Engine | { skipped: string }> {
  const { tools, place } = stage;
  try {
    const found = findServer(stage);
    if ('skipped' in found) return found;
    return await startEngine(stage, await makePrograms(stage, found.server));
  } catch (error) {
    await endRecorded(processesOf(place.folder));
    tools.signal.throwIfAborted();
    return { skipped: `an engine of its own could not be started on this host: ${wordsOf(error)}` };
  }
}

function findServer({ tools: { host }, engine }: Stage): { server: string } | { skipped: string } {
  if (!isHere(host)) return { skipped: 'this host is driven over ssh: no worker runs there' };
  const server = engine.server();
  if (server === undefined)
    return {
      skipped:
        'no Temporal server was found on this host: install the Temporal CLI (the program "temporal"), or set HOLDFAST_TEMPORAL_BIN to it',
    };
  const bytes = freeMemoryBytes();
  if (bytes >= neededMemoryBytes) return { server };
  return {
    skipped: `an engine of its own needs 700 MiB of memory, and ${Math.floor(bytes / 2 ** 20)} MiB are free`,
  };
}

async function startEngine(stage: Stage, { holdfast, server, restic }: Programs): Promise<Engine> {
  const { host, signal } = stage.tools;
  const { folder } = stage.place;
  const file = `${folder}/holdfast.yaml`;
  const idle = host.name === 'drill-engine' ? 'drill-engine-too' : 'drill-engine';
  const ports = { port: await freePort(), uiPort: await freePort() };
  await host.writeFile(file, JSON.stringify(scratchFile(stage, { restic, idle, ports }), null, 2));
  const env = environmentOf(folder, file, server);
  const start = (log: string, ...args: string[]) =>
    startDaemon({ file: holdfast, args, env, cwd: folder }, `${folder}/${log}`);
  const up = start('up.log', 'up', '--host', idle);
  await untilReady(host, `${folder}/up.log`, up.ended, signal);
  const processes = processesOf(folder);
  return {
    holdfast: (...args) => host.run({ file: holdfast, args, env, cwd: folder }, { signal }),
    startWorker: () => void start('worker.log', 'worker', '--host', host.name),
    running: async (name) => (await runningIn(processes)).filter((one) => one.name === name),
    async leave() {
      // "up" ends its server itself: without one it would start another.
      const own = (await runningIn(processes)).filter(({ name }) => name.startsWith('holdfast-'));
      signalRecorded(own, 'SIGTERM');
      return untilEnded(processes, endsWithinMs);
    },
    end: async () => void (await endRecorded(processes)),
  };
}

async function untilReady(host: Host, log: string, ended: Promise<void>, signal: AbortSignal): Promise<void> {
  let isGone = false;
  void ended.then(() => {
    isGone = true;
  });
  const endsAt = ticks() + readyWithinMs;
  for (;;) {
    const said = await host.readFile(log);
    if (/^Ready\./m.test(said)) return;
    if (isGone || ticks() > endsAt)
      throw new HoldfastError('HF_INTERNAL', `"holdfast up" did not get ready: ${said.trim().slice(-200)}`);
    await wait(200, signal);
  }
}
