import { storeOf } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import { tags } from '../../contracts/names.js';
import type { RunOptions } from '../../system/host.js';
import { resolvePassword, resolveSecret } from '../../system/secrets.js';
import type { Tools } from '../door.js';
import { clearDeadLocks, clearOwnLocks } from './clear-locks.js';
import { snapshotsVerb, type Verb } from './command.js';
import { type Ran, runOnce } from './once.js';
import type { Restic } from './opened.js';
import { parseSnapshots, type Snapshot } from './parse.js';

/** Opens repositories, and the one way to run restic on them. */

// Most of the drivers need nothing else of an opened repository than its type.
export type { Restic } from './opened.js';

/** Reads the store's secrets and makes them ready for one piece of work; `work` names it ("photos", "prune"). */
export async function openRestic(tools: Tools, store: string, work: string): Promise<Restic> {
  const { host, config, signal, progress, log, attempt } = tools;
  const { repository, password, env, limits } = storeOf(config, store);
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    own[name] = typeof value === 'string' ? value : await resolveSecret(host.driver, value);
  }
  const RESTIC_PASSWORD = await resolvePassword(host.driver, password);
  const tool = {
    file: config.hosts[host.name]?.tools.restic ?? 'restic',
    cacheFolder: `${host.stateFolder}/cache/restic`,
  };
  await host.makeFolder(tool.cacheFolder);
  const access = { env: { ...own, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD }, limits };
  // Names may hold "-": with it between them two pieces of work could wait for each other.
  const lock = `${host.stateFolder}/locks/restic-${store}.${work}.lock`;
  return { host, signal, progress, log, attempt, store, tool, repository: access, lock };
}

interface TwiceOptions extends RunOptions {
  /** What the refused try has printed says nothing of the work. */
  onSecondTry?: () => void;
}

/**
 * Runs one verb. A repository that is locked is looked at: what a dead restic of ours has left is taken away and the verb done in the same
 * attempt, for anybody else it waits. A left lock would else block retention and checks for months.
 */
export async function runRestic(
  restic: Restic,
  verb: Verb,
  { onSecondTry, ...options }: TwiceOptions = {},
): Promise<Ran> {
  try {
    return await runOnce(restic, verb, options);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_STORE_LOCKED') throw error;
    restic.log(error.message);
    await clearDeadLocks(restic);
    onSecondTry?.();
    return runOnce(restic, verb, options);
  }
}

/** The snapshots that carry all of these tags, oldest first. Also proves that the store answers and the password is right. */
export async function listSnapshots(restic: Restic, allTags: readonly string[]): Promise<Snapshot[]> {
  const { result } = await runRestic(restic, snapshotsVerb(allTags));
  // restic's own filter is not trusted with what we build on it.
  return parseSnapshots(result.stdout).filter((snapshot) =>
    allTags.every((tag) => snapshot.tags.includes(tag)),
  );
}

/** What marks the copies of one resource of one job. */
export const copyTags = (job: string, resource: string): string[] => [tags.job(job), tags.resource(resource)];

/** What a killed attempt has left behind; costs no restic when every restic of ours ended well. */
export async function removeStaleLocks(restic: Restic): Promise<void> {
  if (restic.attempt > 1) await clearOwnLocks(restic);
}
