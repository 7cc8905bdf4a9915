import { errors, HoldfastError } from '../../contracts/errors.js';
import { classify } from './classify.js';
import type { Verb } from './command.js';
import type { Restic } from './opened.js';

/** restic from 0.17 on asks again for a quarter of an hour before it says so, even when the store refuses its key. */
const outagePatienceMs = 30_000;
/** An answer that waiting does not change. */
const refusalPatienceMs = 2_000;
/** Verbs that only look: what they ask is there at once or not at all. */
const shortVerbs = new Set(['snapshots', 'cat', 'list', 'init', 'unlock']);
/** These may take long, but an append-only server says no to the first deletion as to the last. */
const deletingVerbs = new Set(['forget', 'prune']);

export interface Patience {
  signal: AbortSignal;
  /** Each line of standard error. */
  hear(line: string): void;
  end(): void;
}

/** Ends a short question that is being asked over and over; transfers keep restic's own patience. */
export function limitPatience({ signal, store }: Restic, { verb }: Verb): Patience {
  const isShort = shortVerbs.has(verb);
  if (!isShort && !deletingVerbs.has(verb)) return { signal, hear: () => undefined, end: () => undefined };
  const own = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: AbortSignal.any([signal, own.signal]),
    hear(line) {
      if (!/returned error, retrying after/.test(line)) return;
      const verdict = classify({ exitCode: 1, stderrTail: `Fatal: ${line}`, verb, store });
      if (!(verdict instanceof HoldfastError)) return;
      const isOutage = errors[verdict.code].retry === 'outage';
      if (isOutage && !isShort) return;
      timer ??= setTimeout(() => own.abort(verdict), isOutage ? outagePatienceMs : refusalPatienceMs);
    },
    end: () => clearTimeout(timer),
  };
}
