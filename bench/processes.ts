import { setTimeout as pause } from 'node:timers/promises';
import { heavyQueue, hostQueue, workflowQueue } from '../contracts/names.js';
import { type HoldfastChild, runHoldfast } from '../test/support/children.js';
import type { Estate } from '../test/support/estate.js';
import { waitFor } from '../test/support/wait.js';
import type { Figure } from './figures.js';
import { processorSeconds, residentMegabytes, timed } from './measure.js';

/** What the processes cost: until they work, and while they have nothing to do. */

const idleMs = 10_000;

export async function measureProcesses(estate: Estate, repetitions: number): Promise<Figure[]> {
  const commandLine: number[] = [];
  for (let times = 0; times < repetitions; times += 1)
    commandLine.push((await timed(() => runHoldfast(['--version']))).seconds);
  const hostWorker: Kind = {
    running: () => estate.worker,
    start: estate.startWorker,
    queues: [hostQueue('nas'), heavyQueue('nas')],
  };
  const worker = await measureOne(estate, repetitions, hostWorker);
  // As deploy/systemd and the Dockerfile have it.
  estate.env.MALLOC_ARENA_MAX = '1';
  const asUnit = await measureOne(estate, repetitions, hostWorker);
  delete estate.env.MALLOC_ARENA_MAX;
  const orchestrator = await measureOne(estate, repetitions, {
    running: () => estate.orchestrator,
    start: estate.startOrchestrator,
    queues: [workflowQueue],
  });
  return [
    { part: 'command line', what: 'holdfast --version', unit: 's', values: commandLine },
    {
      part: 'host worker',
      what: 'start until it asks for work',
      unit: 's',
      values: worker.seconds,
      wantedAtMost: 1.2,
    },
    { part: 'host worker', what: 'memory', unit: 'MB', values: worker.megabytes },
    {
      part: 'host worker',
      what: 'memory as its unit starts it',
      unit: 'MB',
      values: asUnit.megabytes,
      wantedAtMost: 120,
    },
    { part: 'host worker', what: 'processor when idle', unit: '% CPU', values: worker.idle },
    { part: 'orchestrator', what: 'start until it asks for work', unit: 's', values: orchestrator.seconds },
    { part: 'orchestrator', what: 'memory', unit: 'MB', values: orchestrator.megabytes },
    { part: 'orchestrator', what: 'processor when idle', unit: '% CPU', values: orchestrator.idle },
  ];
}

interface Kind {
  running(): HoldfastChild;
  start(): Promise<HoldfastChild>;
  queues: string[];
}

async function measureOne(estate: Estate, repetitions: number, kind: Kind) {
  const seconds: number[] = [];
  const megabytes: number[] = [];
  for (let times = 0; times < repetitions; times += 1) {
    await kind.running().stop();
    seconds.push(await secondsUntilPolling(estate, kind));
    await pause(1_000);
    megabytes.push(residentMegabytes(kind.running().pid));
  }
  await pause(2_000);
  const { pid } = kind.running();
  const before = processorSeconds(pid);
  await pause(idleMs);
  return { seconds, megabytes, idle: [((processorSeconds(pid) - before) / (idleMs / 1000)) * 100] };
}

/** The server knows who has asked for work: the log line of a worker would only be its own word. */
async function secondsUntilPolling(estate: Estate, { start, queues }: Kind): Promise<number> {
  const since = Date.now();
  const begin = performance.now();
  const started = start();
  const asks = async (queue: string): Promise<boolean> => {
    const { pollers } = await estate.client.workflowService.describeTaskQueue({
      namespace: 'holdfast',
      taskQueue: { name: queue },
      taskQueueType: queue === workflowQueue ? 1 : 2,
    });
    return (pollers ?? []).some(
      ({ lastAccessTime }) =>
        Number(lastAccessTime?.seconds ?? 0) * 1000 + (lastAccessTime?.nanos ?? 0) / 1e6 >= since,
    );
  };
  await waitFor(async () => (await Promise.all(queues.map(asks))).every((yes) => yes), {
    timeoutMs: 60_000,
    everyMs: 10,
    what: 'the server to be asked for work',
  });
  const seconds = (performance.now() - begin) / 1000;
  // Its own word comes later: when everything else of its start is done too.
  await started;
  return seconds;
}
