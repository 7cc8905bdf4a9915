import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareTrees } from '../support/compare.js';
import { noise, seeded } from '../support/content.js';
import { makeTree } from '../support/data.js';
import { type Estate, startEstate } from '../support/estate.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';
import { createKiller, type Killer } from './killer.js';
import { createLedger, type Ledger } from './ledger.js';

/** One estate, a series of backups, prunes and checks, and processes killed at random all along. */

export interface Story {
  seed: number;
  kills: number;
}

const keep = 4;
const uploadKiBps = 300;
const endsWithinMs = 240_000;

/** Throws with the seed and the last blows when anything is not as it would be without kills. */
export async function tellStory({ seed, kills }: Story): Promise<string> {
  const next = seeded(seed);
  const estate = await startEstate({
    databaseFile: true,
    change: (config) => {
      config.temporal.deadHostAfter = '2s';
      config.jobs['photos-offsite'].keep = { last: keep };
    },
  });
  const killer = createKiller(estate, next);
  const ledger = createLedger(estate, keep);
  try {
    assert.equal((await estate.holdfast('init-store', 'vault')).code, 0);
    makeTree(estate.source, { files: 40, bytes: 1_500_000, seed });
    await layGround(estate, ledger);
    let rounds = 0;
    for (; killer.total() < kills; rounds += 1)
      await playRound(estate, { killer, ledger, next, rounds, kills });
    await assertWhole(estate);
    const counts = Object.entries(killer.count).map(([victim, count]) => `${count} ${victim}`);
    return `${killer.total()} kills (${counts.join(', ')}) in ${rounds} rounds: ${ledger.backups} backups, ${ledger.prunes} prunes`;
  } catch (error) {
    const journal = killer.journal.slice(-8).join('; ');
    throw new Error(`seed ${seed}, after ${killer.total()} kills (${journal}): ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    await estate.stop();
  }
}

/** The first copy holds everything and is left in peace; from then on uploads are small and slow, so that blows land in them. */
async function layGround(estate: Estate, ledger: Ledger): Promise<void> {
  const run = await start(estate, 'backup');
  ledger.backupStarted(run, contentOf(estate.source));
  await assertEndedWell(estate, run);
  await ledger.assertSettled();
  estate.configure((config) => {
    config.stores.vault.restic.limits = { uploadKiBps };
  });
}

interface Round {
  killer: Killer;
  ledger: Ledger;
  next: () => number;
  rounds: number;
  kills: number;
}

/** Some operations at once, as many blows as come while they go on, and a look at everything when they have ended. */
async function playRound(estate: Estate, { killer, ledger, next, rounds, kills }: Round): Promise<void> {
  changeSource(estate.source, rounds, next);
  const source = contentOf(estate.source);
  const operations = ['backup', ...(next() < 0.4 ? ['prune'] : []), ...(next() < 0.3 ? ['check'] : [])];
  const runs = await Promise.all(operations.map((operation) => start(estate, operation)));
  for (const run of runs) {
    if (run.includes('.prune-')) ledger.pruneStarted(run);
    else if (!run.includes('.check-')) ledger.backupStarted(run, source);
  }
  // More blows than these let the pauses between attempts grow to minutes.
  for (let blows = 2 + Math.floor(next() * 3); blows > 0 && killer.total() < kills; blows -= 1) {
    await killer.strike(kills - killer.total());
    ledger.assertNothingInvented();
  }
  for (const run of runs) await assertEndedWell(estate, run);
  ledger.assertNothingInvented();
  await ledger.assertSettled();
}

async function start(estate: Estate, operation: string): Promise<string> {
  const only = operation === 'backup' ? [] : ['--only', operation];
  const started = await estate.holdfast('run', 'photos-offsite', ...only);
  assert.equal(started.code, 0, started.stderr);
  return runIn(started.stdout);
}

async function assertEndedWell({ client }: Estate, run: string): Promise<void> {
  const handle = client.workflow.getHandle(run);
  await waitFor(async () => (await handle.describe()).status.name !== 'RUNNING', {
    timeoutMs: endsWithinMs,
    everyMs: 200,
    what: `${run} to end`,
  });
  const result = (await handle.result().catch((error: Error) => {
    throw new Error(`${run} failed: ${error.cause instanceof Error ? error.cause.message : error.message}`);
  })) as { outcome: string; warnings: string[] };
  assert.deepEqual(
    { run, outcome: result.outcome, warnings: result.warnings },
    { run, outcome: 'ok', warnings: [] },
  );
}

/** The repository is whole to the last byte, and the newest copy is the source. */
async function assertWhole(estate: Estate): Promise<void> {
  const target = join(estate.folder, 'restores', 'the newest');
  mkdirSync(join(estate.folder, 'restores'), { recursive: true });
  const restored = await estate.holdfast('restore', 'photos-offsite', '--to', `nas:${target}`, '--yes');
  assert.equal(restored.code, 0, restored.stdout + restored.stderr);
  assert.deepEqual(compareTrees(estate.source, target), []);
  await estate.restic('check', '--read-data').catch((error: Error & { stdout?: string }) => {
    // Its words are no JSON before restic 0.18: only its exit code counts.
    if (!(error instanceof SyntaxError)) throw error;
  });
}

/** A new file, one that changes, and one that goes: something for each upload to do, and for prune to free. */
function changeSource(source: string, round: number, next: () => number): void {
  const folder = join(source, 'changing');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `new "${round}" ü.bin`), noise(150_000 + Math.floor(next() * 250_000), round));
  writeFileSync(
    join(folder, 'changes.bin'),
    noise(150_000 + Math.floor(next() * 250_000), round + 1_000_000),
  );
  rmSync(join(folder, `new "${round - 3}" ü.bin`), { force: true });
}

/** Files and bytes as restic counts them: every name of a hard link, no special files. Not `recursive`: Node 26 follows links there, for ever where they form a ring. */
function contentOf(folder: string): { files: number; bytes: number } {
  const sum = { files: 0, bytes: 0 };
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const below = entry.isDirectory() ? contentOf(path) : undefined;
    sum.files += below?.files ?? (entry.isFile() ? 1 : 0);
    sum.bytes += below?.bytes ?? (entry.isFile() ? statSync(path).size : 0);
  }
  return sum;
}

/** Which seed and how many kills a run of the tests has: both may be given to repeat one. */
export function storyOf(env: NodeJS.ProcessEnv, kills: number): Story {
  const given = Number(env.HOLDFAST_CHAOS_SEED);
  return {
    seed: given > 0 ? given : 1 + (Date.now() % 1_000_000),
    kills: Number(env.HOLDFAST_CHAOS_KILLS) || kills,
  };
}
