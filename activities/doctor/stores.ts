import { storeOf } from '../../config/lookup.js';
import type { LockFacts, SecretFacts, StoreFacts } from '../../contracts/doctor.js';
import type { Tools } from '../door.js';
import { catLockVerb, configVerb, listLocksVerb } from '../restic/command.js';
import { openRestic, type Restic, runRestic } from '../restic/driver.js';
import { parseLockFile } from '../restic/locks.js';
import { jsonObject } from '../restic/parse.js';
import { codeOf, wordsOf } from './machine.js';
import { lookAtSecret } from './secrets.js';

/** Whether a store answers this host and opens with its password. Only looks: nothing is written, no lock is taken. */

const locksLookedAt = 5;

/** What a run would meet first: the secrets, the line, the password, then who else is at work. */
export async function lookAtStore(tools: Tools, store: string): Promise<StoreFacts> {
  const secrets = await lookAtSecrets(tools, store);
  const isRest = storeOf(tools.config, store).repository.startsWith('rest:');
  const facts: StoreFacts = { store, secrets, locks: [], ...(isRest && { mayBeAppendOnly: true }) };
  try {
    const restic = await openRestic(tools, store, 'doctor');
    const { result } = await runRestic(restic, configVerb());
    const format = jsonObject(result.stdout.trim().replaceAll('\n', ' '))?.version;
    return { ...facts, ...(typeof format === 'number' && { format }), ...(await findLocks(restic)) };
  } catch (error) {
    const message = tools.signal.aborted ? 'No answer in the time that a question may take' : wordsOf(error);
    const code = tools.signal.aborted ? 'HF_STORE_UNREACHABLE' : codeOf(error);
    return { ...facts, error: { code, message } };
  }
}

async function findLocks(restic: Restic): Promise<Pick<StoreFacts, 'locks' | 'moreLocks'>> {
  const { result } = await runRestic(restic, listLocksVerb());
  const ids = result.stdout.split('\n').filter((line) => /^[0-9a-f]{64}$/.test(line));
  const locks = await Promise.all(ids.slice(0, locksLookedAt).map((id) => readLock(restic, id)));
  const more = ids.length - locks.length;
  return { locks, ...(more > 0 && { moreLocks: more }) };
}

/** A lock may be gone before it is read: that is the usual end of a lock. */
async function readLock(restic: Restic, id: string): Promise<LockFacts> {
  const unknown = { id: id.slice(0, 8), since: '', by: '', exclusive: false };
  try {
    const lock = parseLockFile(id, (await runRestic(restic, catLockVerb(id))).result.stdout);
    if (!lock) return unknown;
    const by = `process ${lock.pid} on ${lock.hostname.slice(0, 80)}`;
    return { ...unknown, since: new Date(lock.timeMs).toISOString(), by, exclusive: lock.exclusive };
  } catch {
    return unknown;
  }
}

async function lookAtSecrets({ host, config }: Tools, store: string): Promise<SecretFacts[]> {
  const { password, env } = storeOf(config, store);
  const references = Object.entries(env).flatMap(([name, value]) =>
    typeof value === 'string' ? [] : [[name, value] as const],
  );
  return Promise.all(
    [['password', password] as const, ...references].map(([of, place]) =>
      lookAtSecret(host.driver, of, place),
    ),
  );
}
