import { HoldfastError } from '../../contracts/errors.js';
import { now } from '../../system/clock.js';
import { catLockVerb, listLocksVerb, unlockVerb } from './command.js';
import {
  describeLock,
  judgeLock,
  type LockVerdict,
  mayUnlock,
  parseLockFile,
  parseLockIds,
  type RepositoryLock,
} from './locks.js';
import { runOnce } from './once.js';
import type { Restic } from './opened.js';
import { forgetStarted, type Started, startedBefore } from './started.js';

/** Looks at the locks of a repository, takes away what the dead have left, and says for whom to wait. */

/** Only when restic says that it is locked, or when a restic of ours did not end well. Throws HF_STORE_LOCKED while somebody else holds it. */
export async function clearDeadLocks(restic: Restic): Promise<void> {
  const nowMs = now().getTime();
  const locks = await readLocks(restic);
  const seen = await noteSeen(restic, locks, nowMs);
  const started = await startedBefore(restic, nowMs);
  const judged = await judgeAll(restic, locks, { started, seen, nowMs });
  for (const { lock, verdict } of judged)
    restic.log(`lock ${lock.id.slice(0, 8)} ${describeLock(lock)}: ${verdict}`);
  if (mayUnlock(judged.map(({ verdict }) => verdict))) {
    await runOnce(restic, unlockVerb());
    const left = new Set(await listLocks(restic));
    // A process that is dead but not reaped is alive to restic: its lock stays for a moment, and we must still know it then.
    const stayed = judged.find(({ lock, verdict }) => verdict === 'ours' && left.has(lock.id));
    if (stayed) throw lockedBy(restic, stayed.lock, 0);
  } else {
    const [first, ...more] = judged;
    if (first) throw lockedBy(restic, first.lock, more.length);
  }
  await forgetStarted(restic, await dead(restic, started));
}

/** After an attempt that did not end well: its lock would let backups pass and block prune and check for ever. */
export async function clearOwnLocks(restic: Restic): Promise<void> {
  const started = await startedBefore(restic, now().getTime());
  if ((await dead(restic, started)).length === 0) return;
  await clearDeadLocks(restic).catch((error: unknown) => {
    // Whether somebody else's lock is in the way, the step itself finds out.
    if (!(error instanceof HoldfastError) || error.code !== 'HF_STORE_LOCKED') throw error;
    restic.log(error.message);
  });
}

async function dead({ host }: Restic, started: readonly Started[]): Promise<Started[]> {
  const running = await Promise.all(started.map(({ pid }) => host.processStartedAt(pid)));
  return started.filter(({ atMs }, at) => {
    const sinceMs = running[at];
    return sinceMs === undefined || sinceMs > atMs + 10_000;
  });
}

async function listLocks(restic: Restic): Promise<string[]> {
  const { result } = await runOnce(restic, listLocksVerb());
  return parseLockIds(result.stdout);
}

async function readLocks(restic: Restic): Promise<RepositoryLock[]> {
  const locks: RepositoryLock[] = [];
  for (const id of await listLocks(restic)) {
    try {
      const { result } = await runOnce(restic, catLockVerb(id));
      const lock = parseLockFile(id, result.stdout);
      if (!lock) throw new HoldfastError('HF_TOOL_FAILED', `restic shows a lock that we cannot read: ${id}`);
      locks.push(lock);
    } catch (error) {
      // Its owner was done in the meantime, or has refreshed it under another id.
      if ((await listLocks(restic)).includes(id)) throw error;
    }
  }
  return locks;
}

interface Known {
  started: readonly Started[];
  seen: ReadonlyMap<string, number>;
  nowMs: number;
}

async function judgeAll(
  { host }: Restic,
  locks: readonly RepositoryLock[],
  { started, seen, nowMs }: Known,
): Promise<{ lock: RepositoryLock; verdict: LockVerdict }[]> {
  const machine = await host.machineName();
  const byPid = new Map(started.map(({ pid, atMs }) => [pid, atMs]));
  return Promise.all(
    locks.map(async (lock) => {
      const runningSinceMs = lock.hostname === machine ? await host.processStartedAt(lock.pid) : undefined;
      const seenForMs = nowMs - (seen.get(lock.id) ?? nowMs);
      return {
        lock,
        verdict: judgeLock(lock, { machine, started: byPid, runningSinceMs, seenForMs, nowMs }),
      };
    }),
  );
}

/** Remembers since when we have seen each lock; a living restic gives its lock a new id every 5 minutes. */
async function noteSeen(
  { host, store }: Restic,
  locks: readonly RepositoryLock[],
  nowMs: number,
): Promise<Map<string, number>> {
  const file = `${host.stateFolder}/locks/seen-${store}.json`;
  const known = (await host.exists(file)) ? readSeen(await host.readFile(file)) : {};
  const seen = new Map(locks.map(({ id }) => [id, Math.min(known[id] ?? nowMs, nowMs)]));
  await host.writeFile(file, JSON.stringify(Object.fromEntries(seen)));
  return seen;
}

function readSeen(text: string): Record<string, number> {
  try {
    return JSON.parse(text) as Record<string, number>;
  } catch {
    return {};
  }
}

function lockedBy({ store }: Restic, lock: RepositoryLock, more: number): HoldfastError {
  const others = more > 0 ? `, and by ${more} more` : '';
  const message = `The repository of the store "${store}" is locked ${describeLock(lock)}${others}`;
  return new HoldfastError('HF_STORE_LOCKED', message.slice(0, 300), { ...lock });
}
