import { HoldfastError } from '../../contracts/errors.js';
import type { RunOptions, RunResult } from '../../system/host.js';
import { classify } from './classify.js';
import { resticCommand, type Verb } from './command.js';
import type { Restic } from './opened.js';
import { limitPatience } from './patience.js';
import { recordStart } from './started.js';

export interface Ran {
  result: RunResult;
  /** restic made a snapshot but could not read everything (exit 3 of backup). */
  partial: boolean;
}

const maxStdoutBytes = 256 * 2 ** 20;

/** Runs one verb, once; whatever is not success comes out as a HoldfastError with the store's name in it. */
export async function runOnce(restic: Restic, verb: Verb, options: RunOptions = {}): Promise<Ran> {
  const { host, log, lock, store, progress } = restic;
  const plain = resticCommand(restic.tool, restic.repository, verb);
  const takesLock = !verb.options.includes('--no-lock');
  const record = takesLock ? await recordStart(restic) : undefined;
  const patience = limitPatience(restic, verb);
  const running = host.run(plain, {
    signal: patience.signal,
    log: (line) => {
      patience.hear(line);
      log(line);
    },
    lock,
    ...(record && { pidFile: record.file }),
    maxStdoutBytes: options.onLine ? 0 : maxStdoutBytes,
    onLockWait: () => progress({ phase: 'waiting for an earlier restic of ours' }),
    ...options,
  });
  const result = await running.finally(patience.end);
  const verdict = classify({ ...result, verb: verb.verb, store });
  log(`restic ${verb.verb}: ${result.exitCode ?? result.signal} after ${Math.round(result.durationMs)} ms`);
  // Whoever was refused the lock has none; of any other failure a lock may be left.
  const leavesNoLock = !(verdict instanceof HoldfastError) || verdict.code === 'HF_STORE_LOCKED';
  if (leavesNoLock) await record?.forget();
  if (verdict instanceof HoldfastError) throw verdict;
  return { result, partial: verdict === 'partial' };
}
