import { type ErrorCode, HoldfastError } from '../../contracts/errors.js';
import { jsonObject } from './parse.js';

/** What the end of a restic means. 0.17 speaks by exit codes (10, 11, 12); older ones only by words on standard error. */

/** How a restic ended, and what it was doing for whom. */
export interface Ending {
  exitCode: number | undefined;
  signal?: string | undefined;
  stderrTail: string;
  verb: string;
  /** The store's name in holdfast.yaml. */
  store: string;
}

/** `partial`: a snapshot was made, but some of the source could not be read. */
export type Verdict = 'ok' | 'partial' | HoldfastError;

const wordsFor: readonly [ErrorCode, RegExp][] = [
  ['HF_SOURCE_MISSING', /all (target|source) directories\/files do not exist/i],
  // A wrong password may itself be one of these words, and is blanked out of what we are given.
  ['HF_WRONG_PASSWORD', /(wrong|\*\*\*) (password|\*\*\*) or no (key|\*\*\*) found/i],
  ['HF_STORE_LOCKED', /already locked( exclusively)? by/i],
  ['HF_STORE_EXISTS', /config file already exists|repository .*already (exists|initialized)/i],
  // Its temporary packs in TMPDIR, and the cache that driver.ts gives it: the store has nothing to do with these.
  [
    'HF_TOOL_FOLDER',
    /(restic-temp-\w+-\d+|\/cache\/restic\/[0-9a-f]{64}\/\S*): (permission denied|operation not permitted|read-only file system|no such file or directory)/i,
  ],
  ['HF_NO_SPACE', /no space left on device|disk quota exceeded|StorageFull|InsufficientStorage|\b507\b/i],
  [
    'HF_STORE_DENIED',
    /AccessDenied|access denied|InvalidAccessKeyId|SignatureDoesNotMatch|signature we calculated does not match|access key id .*does not exist|InvalidToken|\b40[13] (Unauthorized|Forbidden)|\((401|403)\)|permission denied|operation not permitted|read-only file system/i,
  ],
  [
    'HF_STORE_UNREACHABLE',
    /dial tcp|connection (refused|reset|closed)|no such host|server misbehaving|i\/o timeout|timed? ?out|deadline exceeded|(network|host) is (unreachable|down)|no route to host|handshake|x509|unexpected EOF|broken pipe|\(5\d\d\)|\b50[0234] [A-Z]|InternalError|ServiceUnavailable|SlowDown|internal error|transport endpoint|stale file handle|input\/output error/i,
  ],
  [
    'HF_STORE_MISSING',
    /Is there a repository at the following location|repository does not exist|NoSuchBucket|bucket does not exist/i,
  ],
  [
    'HF_STORE_DAMAGED',
    /repository contains errors|ciphertext verification failed|invalid data returned|hash mismatch|data seems to be missing|Pack ID does not match|Blob ID does not match|index.*damaged|not found in (index|repository)|invalid ciphertext|unable to load index|packs? .*(missing|not found)/i,
  ],
];

/** What was tried again and went well says nothing of the end; what did not stands on a line of its own. */
const settledLines = (stderrTail: string): string =>
  stderrTail
    .split('\n')
    .filter((line) => !line.includes('retrying after'))
    .join('\n');

/** What a broken line cannot make of data that are whole. */
const damagedData =
  /ciphertext verification failed|invalid (data returned|ciphertext)|hash mismatch|(pack|blob) ID does not match/i;

/** Signs of a broken line that no damage of the data can give. */
const brokenLine =
  /dial tcp|connection (refused|reset)|no such host|i\/o timeout|(network|host) is unreachable|handshake|\(5\d\d\)|\b50[0234] [A-Z]/i;

/** The verdict on one ending. */
export function classify(ending: Ending): Verdict {
  const { exitCode, signal, verb } = ending;
  if (exitCode === 0) return 'ok';
  if (exitCode === 3 && verb === 'backup') return 'partial';
  if (exitCode === undefined || exitCode === 130)
    return failure('HF_TOOL_KILLED', ending, signal ?? 'SIGINT');
  const code = codeOf(ending);
  return failure(code, ending, code === 'HF_STORE_LOCKED' ? lockHolder(ending.stderrTail) : cause(ending));
}

function codeOf({ exitCode, stderrTail, verb }: Ending): ErrorCode {
  if (exitCode === 10) return 'HF_STORE_MISSING';
  if (exitCode === 11) return 'HF_STORE_LOCKED';
  if (exitCode === 12) return 'HF_WRONG_PASSWORD';
  if (/^(panic:|fatal error:|goroutine \d+ \[)/m.test(stderrTail)) return 'HF_TOOL_KILLED';
  const settled = settledLines(stderrTail);
  const found = byWords(fatalWords(settled));
  if (verb === 'check' && damagedData.test(settled)) return 'HF_STORE_DAMAGED';
  if (verb === 'check' && (found === undefined || found === 'HF_STORE_DAMAGED')) {
    // A broken line to the store makes check say "repository contains errors" as well: that is no damage.
    return brokenLine.test(settled) ? 'HF_STORE_UNREACHABLE' : (found ?? 'HF_TOOL_FAILED');
  }
  return (
    found ?? byWords(settled) ?? byWords(stderrTail) ?? (exitCode === 2 ? 'HF_TOOL_KILLED' : 'HF_TOOL_FAILED')
  );
}

const byWords = (words: string): ErrorCode | undefined => wordsFor.find(([, form]) => form.test(words))?.[0];

/** The lines that say why it ended: a source that may not be read says "permission denied" too, long before. */
function fatalWords(stderrTail: string): string {
  const lines = stderrTail.split('\n');
  const from = lines.findIndex((line) =>
    /^Fatal:|"exit_error"|^unable to create lock in backend: /.test(line),
  );
  return from < 0 ? '' : lines.slice(from).join('\n');
}

/** The sentence that restic ends with, for the operator. */
function cause({ stderrTail, exitCode }: Ending): string {
  const words = (fatalWords(stderrTail) || stderrTail).trim().split('\n');
  const first = words[0] ?? '';
  const line = (jsonObject(first)?.message as string | undefined) ?? first;
  return line.replace(/^Fatal:\s*/, '').split('\n')[0] || `exit ${exitCode}`;
}

/** Who holds the lock of a repository, from the words of a refused restic. */
export function parseLock(
  stderr: string,
): { pid: number; host: string; since: string; exclusive: boolean } | undefined {
  const [, exclusive, pid, host] =
    /already locked( exclusively)? by PID (\d+) on (.+?) by /.exec(stderr) ?? [];
  const [, since] = /lock was created at (.+? \(.+? ago\))/.exec(stderr) ?? [];
  if (!pid || !host) return undefined;
  return { pid: Number(pid), host, since: since ?? 'an unknown time', exclusive: exclusive !== undefined };
}

function lockHolder(stderr: string): string {
  const lock = parseLock(stderr);
  if (!lock) return 'the lock could not be read';
  return `by process ${lock.pid} on ${lock.host} since ${lock.since}`;
}

const sentences: Partial<Record<ErrorCode, (store: string, why: string) => string>> = {
  HF_WRONG_PASSWORD: (store) => `The password of the store "${store}" is wrong`,
  HF_STORE_LOCKED: (store, why) => `The repository of the store "${store}" is locked ${why}`,
  HF_STORE_EXISTS: (store) => `The store "${store}" holds a repository already; nothing was changed`,
  HF_STORE_MISSING: (store) => `There is no repository at the address of the store "${store}"`,
  HF_STORE_UNREACHABLE: (store, why) => `The store "${store}" does not answer: ${why}`,
  HF_STORE_DENIED: (store, why) => `The store "${store}" refuses us: ${why}`,
  HF_TOOL_FOLDER: (store, why) =>
    `restic cannot work for the store "${store}" in a folder of its own: ${why}`,
  HF_NO_SPACE: (store, why) => `There is no space left for the store "${store}": ${why}`,
  HF_STORE_DAMAGED: (store, why) => `The repository of the store "${store}" is damaged: ${why}`,
  HF_TOOL_KILLED: (store, why) => `restic was ended from outside or crashed (${why}), store "${store}"`,
};

const longestWhy = 120;

/** A failure in our words: what happened, to which store. What to do next stands in the table. */
export function failure(
  code: ErrorCode,
  { verb, store }: Pick<Ending, 'verb' | 'store'>,
  why: string,
): HoldfastError {
  // The reason stands at the end of a chain of Go errors, the path of the call at its beginning.
  const short = why.length > longestWhy ? `…${why.slice(-longestWhy)}` : why;
  const what = sentences[code]?.(store, short) ?? `restic ${verb} failed for the store "${store}": ${short}`;
  return new HoldfastError(code, what.slice(0, 300), { store, verb });
}
