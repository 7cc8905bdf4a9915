import { storeOf } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Progress } from '../../contracts/jobs.js';
import { tags } from '../../contracts/names.js';
import type { Host, RunOptions, RunResult } from '../../system/host.js';
import { resolveSecret } from '../../system/secrets.js';
import type { Tools } from '../door.js';
import { classify } from './classify.js';
import {
  type RepositoryAccess,
  type ResticTool,
  resticCommand,
  snapshotsVerb,
  unlockVerb,
  type Verb,
  versionCommand,
} from './command.js';
import { parseSnapshots, parseVersion, type Snapshot } from './parse.js';
import { limitPatience } from './patience.js';

/** What every verb of the driver stands on: one opened repository, and one way to run restic on it. */

export interface Restic {
  host: Host;
  signal: AbortSignal;
  progress(progress: Partial<Progress>): void;
  log(line: string): void;
  tool: ResticTool;
  /** The store's name in holdfast.yaml. */
  store: string;
  repository: RepositoryAccess;
  /** Held by each restic of this piece of work: a retry waits for the orphan of a killed worker. */
  lock: string;
  /** 1 for the first try. */
  attempt: number;
}

const maxStdoutBytes = 256 * 2 ** 20;

/** Reads the store's secrets and makes them ready for one piece of work; `work` names it ("photos", "prune"). */
export async function openRestic(tools: Tools, store: string, work: string): Promise<Restic> {
  const { host, config, signal, progress, log, attempt } = tools;
  const { repository, password, env, limits } = storeOf(config, store);
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    own[name] = typeof value === 'string' ? value : await resolveSecret(host, value);
  }
  const RESTIC_PASSWORD = await resolveSecret(host, password);
  const tool = {
    file: config.hosts[host.name]?.tools.restic ?? 'restic',
    cacheFolder: `${host.stateFolder}/cache/restic`,
  };
  await host.makeFolder(tool.cacheFolder);
  const access = { env: { ...own, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD }, limits };
  const lock = `${host.stateFolder}/locks/restic-${store}-${work}.lock`;
  return { host, signal, progress, log, attempt, store, tool, repository: access, lock };
}

export interface Ran {
  result: RunResult;
  /** restic made a snapshot but could not read everything (exit 3 of backup). */
  partial: boolean;
}

/** Runs one verb; whatever is not success comes out as a HoldfastError with the store's name in it. */
export async function runRestic(restic: Restic, verb: Verb, options: RunOptions = {}): Promise<Ran> {
  const { host, log, lock, store, progress } = restic;
  const patience = limitPatience(restic, verb);
  const running = host.run(resticCommand(restic.tool, restic.repository, verb), {
    signal: patience.signal,
    log: (line) => {
      patience.hear(line);
      log(line);
    },
    lock,
    maxStdoutBytes: options.onLine ? 0 : maxStdoutBytes,
    onLockWait: () => progress({ phase: 'waiting for an earlier restic of ours' }),
    ...options,
  });
  const result = await running.finally(patience.end);
  const verdict = classify({ ...result, verb: verb.verb, store });
  log(`restic ${verb.verb}: ${result.exitCode ?? result.signal} after ${Math.round(result.durationMs)} ms`);
  if (verdict instanceof HoldfastError) throw verdict;
  return { result, partial: verdict === 'partial' };
}

/**
 * Runs a verb that needs the repository for itself. A lock of a dead process of this machine is cleared first:
 * a backup that was killed in some earlier run would else block retention and checks for ever.
 */
export async function runExclusive(restic: Restic, verb: Verb, options: RunOptions = {}): Promise<Ran> {
  try {
    return await runRestic(restic, verb, options);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_STORE_LOCKED') throw error;
    restic.log(`${error.message}; removing stale locks, if it is one`);
    await runRestic(restic, unlockVerb());
    return runRestic(restic, verb, options);
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

/** After a killed attempt its lock must go: a left lock lets backups pass and blocks prune and check for ever. */
export async function removeStaleLocks(restic: Restic): Promise<void> {
  if (restic.attempt === 1) return;
  await runRestic(restic, unlockVerb());
}

/** Which restic this host has. */
export async function resticVersion({
  host,
  tool,
  signal,
}: Restic): Promise<readonly [number, number, number]> {
  const { stdout, stderrTail } = await host.run(versionCommand(tool), { signal });
  return parseVersion(stdout || stderrTail);
}
