import { jsonObject } from './parse.js';

/** Whose a lock of a repository is, and whether its holder can still be alive. Pure. */

/** As `cat lock` shows it. */
export interface RepositoryLock {
  id: string;
  /** Made, or refreshed: restic does that every 5 minutes. */
  timeMs: number;
  exclusive: boolean;
  hostname: string;
  username: string;
  pid: number;
}

/** What `list locks` names; warnings may stand between. */
export const parseLockIds = (stdout: string): string[] =>
  stdout.split('\n').filter((line) => /^[0-9a-f]{64}$/.test(line));

/** undefined for what is no lock. */
export function parseLockFile(id: string, stdout: string): RepositoryLock | undefined {
  const json = jsonObject(stdout.trim());
  const timeMs = Date.parse(String(json?.time));
  if (!json || Number.isNaN(timeMs)) return undefined;
  return {
    id,
    timeMs,
    exclusive: json.exclusive === true,
    hostname: String(json.hostname ?? ''),
    username: String(json.username ?? ''),
    pid: Number(json.pid ?? 0),
  };
}

/** What this host knows that the lock does not say. */
export interface LockFacts {
  /** What this machine calls itself. */
  machine: string;
  /** Starts of our own restics on this store that nobody saw end well, by process: milliseconds since 1970. */
  started: ReadonlyMap<number, number>;
  /** The process that has this number now; undefined when there is none. */
  runningSinceMs: number | undefined;
  /** How long we ourselves have seen this lock as it is: a wrong clock on the other machine does not matter. */
  seenForMs: number;
  nowMs: number;
}

/**
 * `ours`: a restic of ours that is dead. `abandoned`: somebody else's, silent for longer than a living restic ever is.
 * `held`: to be waited for. `untouchable`: to be waited for, and `restic unlock` must not be run meanwhile.
 */
export type LockVerdict = 'ours' | 'abandoned' | 'held' | 'untouchable';

/** restic takes a lock for stale when it was not refreshed for so long. */
const staleAfterMs = 30 * 60_000;
const clockSlackMs = 10_000;

/** Judges one lock. */
export function judgeLock(lock: RepositoryLock, facts: LockFacts): LockVerdict {
  const isStale = facts.nowMs - lock.timeMs > staleAfterMs;
  const abandoned = facts.seenForMs > staleAfterMs ? 'abandoned' : 'untouchable';
  if (lock.hostname !== facts.machine) return isStale ? abandoned : 'held';
  const { runningSinceMs } = facts;
  // Another process has the number of the dead one: unlock would send it SIGHUP to see whether it is a restic.
  const isReused = runningSinceMs !== undefined && runningSinceMs > lock.timeMs + clockSlackMs;
  const isAlive = runningSinceMs !== undefined && !isReused;
  if (isAlive) return isStale ? 'untouchable' : 'held';
  if (isOurs(lock, facts) && (!isReused || isStale)) return 'ours';
  // Containers may share a name: who is dead here may be alive there.
  return isStale ? abandoned : 'untouchable';
}

function isOurs({ pid, timeMs }: RepositoryLock, { started }: LockFacts): boolean {
  const startedMs = started.get(pid);
  return startedMs !== undefined && startedMs <= timeMs + clockSlackMs;
}

/** Plain `restic unlock` is run when it removes something, and nothing that is not ours to remove. */
export const mayUnlock = (verdicts: readonly LockVerdict[]): boolean =>
  verdicts.some((verdict) => verdict === 'ours' || verdict === 'abandoned') &&
  !verdicts.includes('untouchable');

/** Whose lock it is, for the operator. */
export const describeLock = ({ pid, username, hostname, timeMs }: RepositoryLock): string =>
  `by process ${pid}${username ? ` of ${username}` : ''} on ${hostname} since ${new Date(timeMs).toISOString().slice(0, 19)}Z`;
