import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Estate } from '../support/estate.js';

/** Kills what an estate consists of, at random, and starts it again: the same seed makes the same choices. */

export type Victim = 'restic' | 'worker' | 'server' | 'orchestrator';

/** Together is how machines die: a host takes its restic with it, a power cut everything. */
const blows: readonly Victim[][] = [
  ['restic'],
  ['restic'],
  ['worker'],
  ['worker'],
  ['worker', 'restic'],
  ['worker', 'restic'],
  ['server'],
  ['orchestrator'],
  ['server', 'orchestrator'],
  ['worker', 'restic', 'server', 'orchestrator'],
];

export interface Killer {
  /** Processes that were killed, of each kind. */
  readonly count: Readonly<Record<Victim, number>>;
  total(): number;
  /** What was done when, newest last: for who reads a failure. */
  readonly journal: string[];
  /** Kills after a moment, starts again after another one, and answers when all is up. */
  strike(most: number): Promise<void>;
}

const longestWaitMs = 1_200;
const longestDeadMs = 1_200;

export function createKiller(estate: Estate, next: () => number): Killer {
  const count = { restic: 0, worker: 0, server: 0, orchestrator: 0 };
  const journal: string[] = [];
  const startedAt = performance.now();
  const total = (): number => Object.values(count).reduce((sum, each) => sum + each, 0);

  const kill = {
    restic: async () => {
      const pids = await resticsSoon(estate);
      for (const pid of pids) killIfThere(pid);
      return pids.length > 0;
    },
    worker: () => estate.worker.stop('SIGKILL').then(() => true),
    server: () => estate.server.kill9().then(() => true),
    orchestrator: () => estate.orchestrator.stop('SIGKILL').then(() => true),
  };
  const restart = {
    restic: async () => undefined,
    worker: estate.startWorker,
    server: () => estate.server.restart(),
    orchestrator: estate.startOrchestrator,
  };

  return {
    count,
    journal,
    total,
    async strike(most) {
      const blow = (blows[Math.floor(next() * blows.length)] ?? []).slice(0, most);
      const [waitMs, deadMs] = [next() * longestWaitMs, next() * longestDeadMs];
      await pause(waitMs);
      const hit = await Promise.all(blow.map(async (victim) => ((await kill[victim]()) ? [victim] : [])));
      for (const victim of hit.flat()) count[victim] += 1;
      const at = ((performance.now() - startedAt) / 1000).toFixed(1);
      journal.push(`${at} s: ${hit.flat().join(' + ') || `no ${blow.join(' + ')} there`}`);
      await pause(deadMs);
      await Promise.all(blow.map((victim) => restart[victim]()));
    },
  };
}

/** Every restic that works on the estate's repository, or waits to: the address is in the environment alone. */
export function resticsOf({ repository }: Estate, programs = ['restic', 'flock']): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        if (!programs.includes(readFileSync(`/proc/${pid}/comm`, 'utf8').trim())) return false;
        const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return variables.includes(`RESTIC_REPOSITORY=${repository}`);
      } catch {
        return false;
      }
    });
}

/** Between two steps there is none for a moment: a blow at restic waits for one, but not for ever. */
async function resticsSoon(estate: Estate): Promise<number[]> {
  const endsAt = performance.now() + 2_000;
  for (;;) {
    const pids = resticsOf(estate, ['restic']);
    if (pids.length > 0 || performance.now() > endsAt) return pids;
    await pause(50);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}
