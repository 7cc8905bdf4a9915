import { isAtOrBelow } from './dataset-names.js';
import { bookmarkFunction, bookmarkMade, manyBookmarks, readBookmark } from './replicate-bookmarks.js';
import type { Done } from './replicate-ends.js';
import { breakMark, flat, line, prelude, quote, report, wordsMost } from './replicate-script.js';
import type { ZfsWords } from './replicate-streams.js';
import type { Dataset, Listing } from './types.js';

/** Bookmarks, holds, renames and so on as one program of sh for one remote command. Pure: text in, text out. */

/** Programs that run at the same time: they share the pool's transaction groups, which is most of what they wait for. */
const sideBySide = 8;
/** So many snapshots are held or released by one process: each waits for a transaction group of its own, and what zfs says of each fits into `wordsMost`. */
const togetherMost = 10;

/** One process and the commands (by their place in the list) that it stands for. */
interface Call {
  words: string[];
  of: number[];
  /** Bookmarks of this pool, all at once: `words` are pairs. */
  pool?: string;
  /** All snapshots of this name in the tree, held or released in one moment; `words` name each of them, should that fail. */
  tree?: string;
}

const poolOf = (name: string): string => name.replace(/[/@#].*$/, '');

/** As few processes as these commands allow. */
export function callsFor(commands: readonly ZfsWords[], firstIndex: number, listing?: Listing): Call[] {
  const open = new Map(commands.map((words, at) => [firstIndex + at, words]));
  const calls = [...bookmarkCalls(open), ...treeCalls(open, listing), ...holdCalls(open)];
  return [...calls, ...[...open].map(([index, words]) => ({ words: [...words], of: [index] }))];
}

/** Commands by their place in the list; what a call stands for is taken out. */
type Open = Map<number, ZfsWords>;

const takeOut = (open: Open, call: Call): Call => {
  for (const index of call.of) open.delete(index);
  return call;
};

function bookmarkCalls(open: Open): Call[] {
  const pools = new Map<string, Call>();
  for (const [index, [verb, from = '', cursor = '']] of open) {
    if (verb !== 'bookmark') continue;
    const pool = poolOf(from);
    const call = pools.get(pool) ?? { pool, words: [], of: [] };
    call.words.push(from, cursor);
    call.of.push(index);
    pools.set(pool, call);
  }
  return [...pools.values()]
    .filter(({ of }) => of.length >= manyBookmarks)
    .map((call) => takeOut(open, call));
}

/** `-r` reaches every snapshot of a name below a dataset: only where the listing shows none that is not meant. */
function treeCalls(open: Open, listing: Listing | undefined): Call[] {
  if (!listing) return [];
  return [...holdsBy(open, ([verb, tag, full]) => `${verb} ${tag} ${full?.split('@')[1]}`)].flatMap(
    (call) => {
      const [verb = '', tag = '', ...snapshots] = call.words;
      const [root = '', name = ''] = snapshots.reduce((a, b) => (b.length < a.length ? b : a)).split('@');
      const meant = new Set(snapshots.map((full) => full.split('@')[0] ?? ''));
      const isReached = ({ name: dataset, snapshots: own }: Dataset): boolean =>
        isAtOrBelow(dataset, root) && own.some((snapshot) => snapshot.name === name);
      const isWhole =
        meant.size > 1 &&
        [...meant].every((dataset) => isAtOrBelow(dataset, root)) &&
        [...listing.values()].every((dataset) => !isReached(dataset) || meant.has(dataset.name));
      return isWhole
        ? [takeOut(open, { tree: `${root}@${name}`, words: [verb, tag, ...snapshots], of: call.of })]
        : [];
    },
  );
}

/** hold and release take many snapshots at once, when the tag is the same. */
const holdCalls = (open: Open): Call[] =>
  [...holdsBy(open, ([verb, tag]) => `${verb} ${tag}`, togetherMost)].map((call) => takeOut(open, call));

function holdsBy(open: Open, keyOf: (words: ZfsWords) => string, most = Number.POSITIVE_INFINITY): Call[] {
  const calls: Call[] = [];
  const filling = new Map<string, Call>();
  for (const [index, words] of open) {
    const [verb = '', tag = '', snapshot = ''] = words;
    if ((verb !== 'hold' && verb !== 'release') || words.length !== 3) continue;
    const known = filling.get(keyOf(words));
    const call = known && known.of.length < most ? known : { words: [verb, tag], of: [] };
    if (call !== known) {
      filling.set(keyOf(words), call);
      calls.push(call);
    }
    call.words.push(snapshot);
    call.of.push(index);
  }
  return calls;
}

export interface ChangeScript {
  text: string;
  /** Reads its output: one result for each command, undefined for what was not begun. */
  read(stdout: string): (Done | undefined)[];
}

/**
 * One name in a whole tree. `hold -r` passes by a dataset whose snapshot is gone, and says nothing: each is looked for afterwards. Where -r
 * fails each is tried; those that are held already are left out of what is said, because they would fill it, and are looked for as well.
 */
const treeFunction = [
  `y() { i=$1; v=$2; g=$3; w=$4; shift 4; e=$(zz "$v" -r "$g" "$w" 2>&1 >/dev/null); c=$?`,
  `if [ "$c" != 0 ]; then e=$(zz "$v" "$g" "$@" 2>&1 >/dev/null); c=$?`,
  `if [ "$v$c" = hold1 ] && [ -n "$e" ]; then e=$(printf '%s\\n' "$e" | grep -v "': tag already exists on this dataset$") || { [ $? = 1 ] && c=0; }; fi; fi`,
  `if [ "$v$c" = hold0 ]; then e=$(zz list -H -o name -t snapshot "$@" 2>&1 >/dev/null); c=$?; fi; ${report}; }`,
];

/** All of `first` at the same time, then, when all went well, all of `then`. */
export function changeScript(
  zfs: readonly string[],
  first: readonly ZfsWords[],
  then: readonly ZfsWords[],
  listing?: Listing,
): ChangeScript {
  const firstCalls = callsFor(first, 0, listing);
  const thenCalls = callsFor(then, first.length, listing);
  const calls = [...firstCalls, ...thenCalls];
  const block = (from: number, list: Call[]): string[] =>
    list.flatMap(({ words, pool, tree }, at) => {
      if (pool !== undefined) return [`b ${from + at} ${line([pool, ...words])}`];
      const [verb = '', tag = '', ...snapshots] = words;
      return [
        tree === undefined
          ? `z ${from + at} ${line([...zfs, ...words])} </dev/null &`
          : `y ${from + at} ${line([verb, tag, tree, ...snapshots])} </dev/null &`,
        ...(at % sideBySide === sideBySide - 1 ? ['wait'] : []),
      ];
    });
  const text = [
    ...prelude,
    `z() { i=$1; shift; e=$("$@" 2>&1 >/dev/null); c=$?; ${report}; }`,
    ...treeFunction,
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
      results[index] = code === '0' ? { ok: true, words: '' } : shareOf(call as Call, place, code, words);
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

/**
 * One process spoke for many snapshots: those that it names failed. What was cut off may have named any, and one that was ended has not come
 * to all of them. What it says of one snapshot is nothing said of another.
 */
function shareOf({ words, of }: Call, place: number, code: string, said: string): Done {
  const lines = said.split(breakMark).filter((one) => one !== '');
  if (of.length === 1) return { ok: false, words: lines.join(' ').trim() };
  const own = lines.find((one) => one.includes(`'${words[place + 2]}'`));
  if (own !== undefined) return { ok: false, words: own };
  const general = lines.find((one) => !/'.+@.+'/.test(one));
  const whole = code === '1' && lines.length > 0 && said.length < wordsMost - 4 && general === undefined;
  return whole
    ? { ok: true, words: '' }
    : { ok: false, words: general ?? `exit code ${code}, and nothing said of this one` };
}
