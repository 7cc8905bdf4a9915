import { classify } from './classify.js';
import type { Verb } from './command.js';
import type { Restic } from './driver.js';

/** restic from 0.17 on asks a store that does not answer for a quarter of an hour before it says so. */
const patienceMs = 30_000;
/** Verbs that only look: what they ask is there at once or not at all. */
const shortVerbs = new Set(['snapshots', 'cat', 'init', 'unlock']);

export interface Patience {
  signal: AbortSignal;
  /** Each line of standard error. */
  hear(line: string): void;
  end(): void;
}

/** Ends a short question that is being asked over and over; transfers keep restic's own patience. */
export function limitPatience({ signal, store }: Restic, { verb }: Verb): Patience {
  if (!shortVerbs.has(verb)) return { signal, hear: () => undefined, end: () => undefined };
  const own = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: AbortSignal.any([signal, own.signal]),
    hear(line) {
      if (!/returned error, retrying after/.test(line)) return;
      const stderrTail = `Fatal: ${line}`;
      timer ??= setTimeout(() => own.abort(classify({ exitCode: 1, stderrTail, verb, store })), patienceMs);
    },
    end: () => clearTimeout(timer),
  };
}
