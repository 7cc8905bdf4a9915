import type { Config } from '../../config/schema.js';
import type { ListCopiesStep, StoreCopies } from '../../contracts/copies.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { HandedSparseNote } from '../../contracts/sparseness.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { atStore, readingHost } from '../host/reading-host.js';
import { listCopies } from './copies.js';
import { checkHostOf } from './job.js';
import { boundedNote } from './sparse-handed.js';
import { readSparseNote } from './sparse-note.js';

/** What is asked of a store outside of any run: it only looks, and a store that is silent is not waited for. */

export interface ResticQuestionOptions {
  host: Host;
  config: () => Config;
  /** The door for short questions: see run.ts. */
  answer: <O>(body: () => Promise<O>) => Promise<O>;
}

const patienceMs = 45_000;

export function createResticQuestions({ host, config, answer }: ResticQuestionOptions) {
  return {
    resticListCopies: (step: ListCopiesStep): Promise<StoreCopies> =>
      answer(() =>
        inTime(step.store, (signal) => {
          const tools = quietTools(host, config(), signal);
          return listCopies(atStore(tools, step.store), step);
        }),
      ),
    /** Asked of the host that backs a resource up, by a restore on another one: it reads a file of its own, and starts nothing. */
    resticTellSparse: ({ resource }: { resource: string }): Promise<HandedSparseNote> =>
      answer(async () => {
        checkHostOf(config(), resource, host.name);
        const note = await readSparseNote(readingHost(host, config(), resource), resource);
        return { host: host.name, answered: true, ...(note && { note: boundedNote(note) }) };
      }),
  };
}

const quietTools = (host: Host, config: Config, signal: AbortSignal): Tools => ({
  host,
  config,
  signal,
  run: 'question',
  attempt: 1,
  progress: () => undefined,
  log: () => undefined,
});

async function inTime<T>(store: string, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(patienceMs);
  try {
    return await body(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    const message = `The store "${store}" gave no answer in ${patienceMs / 1000} s`;
    throw new HoldfastError('HF_STORE_UNREACHABLE', message);
  }
}
