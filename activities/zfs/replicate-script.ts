import { bookmarkFunction, bookmarkMade, manyBookmarks, readBookmark } from './replicate-bookmarks.js';
import type { Done, StreamEnd } from './replicate-ends.js';
import type { Stream, ZfsWords } from './replicate-streams.js';

/** Many commands of zfs as one program of sh: what would be thousands of remote commands is one. Pure: text in, text out. */

/** Programs that run at the same time: they share the pool's transaction groups, which is most of what they wait for. */
const sideBySide = 8;
/** So many snapshots are held or released by one process. */
const togetherMost = 16;
/** A line of up to 4096 bytes is written in one piece, even when several processes write to the same pipe. */
const wordsMost = 3400;

export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

const line = (words: readonly string[]): string => words.map(quote).join(' ');

/** Line breaks of what zfs says travel as this, so that a result stays one line. */
const breakMark = '\u001e';

const prelude = ['LC_ALL=C; export LC_ALL'];

/** Its words on one line, whatever they are. */
const flat = `$(printf %s "$e" | tr '\\n\\t' '${breakMark} ' | head -c ${wordsMost})`;

/** Says how call $i ended. The three programs of `flat` cost as much as a zfs: they are started only where something went wrong. */
const report = `if [ "$c" = 0 ]; then printf '%s\\t0\\t\\n' "$i"; else printf '%s\\t%s\\t%s\\n' "$i" "$c" "${flat}"; fi`;

/** One process and the commands (by their place in the list) that it stands for. */
interface Call {
  words: string[];
  of: number[];
  /** Bookmarks of this pool, all at once: `words` are pairs. */
  pool?: string;
}

/** hold and release take many snapshots at once, when the tag is the same. */
export function callsFor(commands: readonly ZfsWords[], firstIndex: number): Call[] {
  const calls: Call[] = [];
  const open = new Map<string, Call>();
  const poolOf = (name: string): string => name.replace(/[/@#].*$/, '');
  const isOf = (words: ZfsWords, pool: string): boolean =>
    words[0] === 'bookmark' && poolOf(words[1] ?? '') === pool;
  for (const pool of new Set(commands.map(([, name = '']) => poolOf(name)))) {
    const all = commands.flatMap((words, at) => (isOf(words, pool) ? [{ words, at }] : []));
    if (all.length < manyBookmarks) continue;
    const pairs = all.flatMap(({ words }) => words.slice(1));
    calls.push({ pool, words: pairs, of: all.map(({ at }) => firstIndex + at) });
  }
  const done = new Set(calls.flatMap(({ of }) => of));
  for (const [at, words] of commands.entries()) {
    const [verb = '', tag = '', snapshot = ''] = words;
    const index = firstIndex + at;
    if (done.has(index)) continue;
    if ((verb !== 'hold' && verb !== 'release') || words.length !== 3) {
      calls.push({ words: [...words], of: [index] });
      continue;
    }
    const key = `${verb} ${tag}`;
    const known = open.get(key);
    if (known && known.of.length < togetherMost) {
      known.words.push(snapshot);
      known.of.push(index);
      continue;
    }
    const call = { words: [verb, tag, snapshot], of: [index] };
    open.set(key, call);
    calls.push(call);
  }
  return calls;
}

export interface ChangeScript {
  text: string;
  /** Reads its output: one result for each command, undefined for what was not begun. */
  read(stdout: string): (Done | undefined)[];
}

/** All of `first` at the same time, then, when all went well, all of `then`. */
export function changeScript(
  zfs: readonly string[],
  first: readonly ZfsWords[],
  then: readonly ZfsWords[],
): ChangeScript {
  const firstCalls = callsFor(first, 0);
  const thenCalls = callsFor(then, first.length);
  const calls = [...firstCalls, ...thenCalls];
  const block = (from: number, list: Call[]): string[] =>
    list.flatMap(({ words, pool }, at) =>
      pool !== undefined
        ? [`b ${from + at} ${line([pool, ...words])}`]
        : [
            `z ${from + at} ${line([...zfs, ...words])} </dev/null &`,
            ...(at % sideBySide === sideBySide - 1 ? ['wait'] : []),
          ],
    );
  const text = [
    ...prelude,
    `z() { i=$1; shift; e=$("$@" 2>&1 >/dev/null); c=$?; ${report}; }`,
    `zz() { ${line(zfs)} "$@"; }`,
    ...(calls.some(({ pool }) => pool !== undefined) ? bookmarkFunction(quote, flat) : []),
    ...(firstCalls.length > 0 && thenCalls.length > 0
      ? [
          'o=$(',
          ...block(0, firstCalls),
          'wait)',
          `printf '%s\\n' "$o"`,
          // Counted, not looked for: a command that was killed has said nothing.
          `[ "$(printf '%s\\n' "$o" | grep -c -e '^[0-9.]*\t0\t' -e ${quote(bookmarkMade)})" = ${answersOf(firstCalls)} ] || exit 0`,
        ]
      : block(0, firstCalls)),
    ...block(firstCalls.length, thenCalls),
    'wait',
    'exit 0',
    '',
  ].join('\n');
  return { text, read: (stdout) => readChanges(stdout, calls, first.length + then.length) };
}

/** A line for each process, but for bookmarks of one program one for each of them. */
const answersOf = (calls: readonly Call[]): number =>
  calls.reduce((sum, { pool, of }) => sum + (pool === undefined ? 1 : of.length), 0);

function readChanges(stdout: string, calls: readonly Call[], count: number): (Done | undefined)[] {
  const results: (Done | undefined)[] = Array.from({ length: count });
  for (const row of stdout.split('\n')) {
    const [at = '', code = '', words = ''] = row.split('\t');
    const [, of, one] = /^P?(\d+)(?:\.(\d+))?$/.exec(at) ?? [];
    const bookmarks = calls[Number(of)];
    if (bookmarks?.pool !== undefined) {
      readBookmarks(bookmarks, { one, code, words }, results);
      continue;
    }
    const call = /^\d+$/.test(at) ? calls[Number(at)] : undefined;
    for (const [place, index] of (call?.of ?? []).entries())
      results[index] = code === '0' ? { ok: true, words: '' } : shareOf(call as Call, place, words);
  }
  return results;
}

/** A line of the program, or of one command where no program may be run. */
function readBookmarks(
  call: Call,
  { one, code, words }: { one: string | undefined; code: string; words: string },
  results: (Done | undefined)[],
): void {
  if (one !== undefined) {
    const index = call.of[Number(one)];
    const said = words.replaceAll(breakMark, ' ').trim();
    if (index !== undefined) results[index] = { ok: code === '0', words: code === '0' ? '' : said };
    return;
  }
  const read = readBookmark(code);
  const place = read ? call.words.findIndex((word, at) => at % 2 === 1 && word === read.cursor) : -1;
  const index = call.of[(place - 1) / 2];
  if (read && index !== undefined) results[index] = read.done;
}

/** One process spoke for many snapshots: those that it names failed. What was cut off may have named any. */
function shareOf({ words, of }: Call, place: number, said: string): Done {
  const lines = said.split(breakMark);
  if (of.length === 1) return { ok: false, words: lines.join(' ').trim() };
  const own = lines.find((one) => one.includes(`'${words[place + 2]}'`));
  const whole = said.length < wordsMost - 4 && lines.every((one) => one === '' || /'.+@.+'/.test(one));
  if (own !== undefined) return { ok: false, words: own };
  return whole ? { ok: true, words: '' } : { ok: false, words: lines[0] ?? 'failed' };
}

/** Before each stream stands a line that names it; the first send that fails ends the program, and with it the pipe. */
export function sendScript(zfs: readonly string[], streams: readonly Stream[]): string {
  return [
    ...prelude,
    `s() { i=$1; k=$2; shift 2; printf 'holdfast %s\\n' "$k"; "$@" </dev/null; c=$?; printf 'holdfast\\t%s\\t%s\\n' "$i" "$c" >&2; [ "$c" = 0 ] || exit 1; }`,
    ...streams.map(({ key, send }, index) => `s ${index} ${quote(key)} ${line([...zfs, ...send])}`),
    '',
  ].join('\n');
}

/** Receives each stream into the dataset that the line before it names, and ends at the first that fails: nothing can come out of step. */
export function receiveScript(zfs: readonly string[], streams: readonly Stream[]): string {
  return [
    ...prelude,
    `r() { i=$1; shift; e=$("$@" 2>&1 >/dev/null); c=$?; ${report}; [ "$c" = 0 ] || exit 1; }`,
    'while IFS= read -r k; do',
    'case "$k" in',
    ...streams.map(
      ({ key, receive }, index) => `${quote(`holdfast ${key}`)}) r ${index} ${line([...zfs, ...receive])} ;;`,
    ),
    `*) printf 'out of step\\n'; exit 9 ;;`,
    'esac',
    'done',
    '',
  ].join('\n');
}

export interface StreamWatch {
  /** A line of the sender's standard error. */
  sender(line: string): void;
  /** A line of the receiver's standard output. */
  receiver(line: string): void;
  ends(): StreamEnd[];
  /** What went through the pipe until now, and how much it will be as far as is known. */
  progress(): { bytesDone: number; bytesTotal: number };
}

/** Follows a pipe of streams by what both its ends say. */
export function watchStreams(streams: readonly Stream[]): StreamWatch {
  const ends: StreamEnd[] = streams.map(() => ({ sent: undefined, received: undefined }));
  let current = 0;
  let said: string[] = [];
  let finishedBytes = 0;
  let currentBytes = 0;
  const sizes = streams.map(({ bytes }) => bytes);
  const finish = (index: number, code: string): void => {
    const end = ends[index];
    if (end) end.sent = { ok: code === '0', words: said.join(' ').slice(0, 500) };
    finishedBytes += Math.max(currentBytes, code === '0' ? (sizes[index] ?? 0) : 0);
    current = index + 1;
    currentBytes = 0;
    said = [];
  };
  return {
    sender(row) {
      const fields = row.split('\t');
      if (fields[0] === 'holdfast') finish(Number(fields[1]), fields[2] ?? '');
      else if (fields[0] === 'size') sizes[current] = Number(fields[1]) || 0;
      else if (/^\d\d:\d\d:\d\d$/.test(fields[0] ?? '')) currentBytes = Number(fields[1]) || 0;
      else if (!/^(full|incremental)\t/.test(row)) said.push(row.trim());
    },
    receiver(row) {
      const [index = '', code = '', words = ''] = row.split('\t');
      const end = /^\d+$/.test(index) ? ends[Number(index)] : undefined;
      if (end) end.received = { ok: code === '0', words: words.replaceAll(breakMark, ' ').trim() };
    },
    ends: () => ends,
    progress: () => ({
      bytesDone: finishedBytes + currentBytes,
      bytesTotal: sizes.reduce((sum, bytes) => sum + bytes, 0),
    }),
  };
}
