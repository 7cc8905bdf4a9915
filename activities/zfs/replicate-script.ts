import type { StreamEnd } from './replicate-ends.js';
import type { Stream } from './replicate-streams.js';

/** Many commands of zfs as one program of sh: what would be thousands of remote commands is one. Pure: text in, text out. */

/** A line of up to 4096 bytes is written in one piece, even when several processes write to the same pipe. */
export const wordsMost = 3400;

export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** No shell finds anything in these: a text of a thousand words is half as long without the quotes. */
const plain = /^[A-Za-z0-9_./=:,@-]+$/;

export const line = (words: readonly string[]): string =>
  words.map((word) => (plain.test(word) ? word : quote(word))).join(' ');

/** Line breaks of what zfs says travel as this, so that a result stays one line. */
export const breakMark = '\u001e';

/** The text of a program is one argument, of which Linux takes 128 KiB. */
export const scriptMost = 100_000;

export const prelude = ['LC_ALL=C; export LC_ALL'];

/** Its words on one line, whatever they are. */
export const flat = `$(printf %s "$e" | tr '\\n\\t' '${breakMark} ' | head -c ${wordsMost})`;

/** Says how call $i ended. The three programs of `flat` cost as much as a zfs: they are started only where something went wrong. */
export const report = `if [ "$c" = 0 ]; then printf '%s\\t0\\t\\n' "$i"; else printf '%s\\t%s\\t%s\\n' "$i" "$c" "${flat}"; fi`;

/** Before each stream stands a line that names it; the first send that fails ends the program, and with it the pipe. */
export function sendScript(zfs: readonly string[], streams: readonly Stream[]): string {
  return [
    ...prelude,
    `s() { i=$1; k=$2; shift 2; printf 'holdfast %s\\n' "$k"; "$@" </dev/null; c=$?; printf 'holdfast\\t%s\\t%s\\n' "$i" "$c" >&2; [ "$c" = 0 ] || exit 1; }`,
    ...streams.map((stream, index) => sendCall(zfs, stream, index)),
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
    ...streams.map((stream, index) => receiveCase(zfs, stream, index)),
    `*) printf 'out of step\\n'; exit 9 ;;`,
    'esac',
    'done',
    '',
  ].join('\n');
}

/** What one stream adds to the sender's program. */
export const sendCall = (zfs: readonly string[], { key, send }: Stream, index: number): string =>
  `s ${index} ${quote(key)} ${line([...zfs, ...send])}`;

/** What one stream adds to the receiver's program. */
export const receiveCase = (zfs: readonly string[], { key, receive }: Stream, index: number): string =>
  `${quote(`holdfast ${key}`)}) r ${index} ${line([...zfs, ...receive])} ;;`;

export interface StreamWatch {
  /** A line of the sender's standard error. */
  sender(line: string): void;
  /** A line of the receiver's standard output. */
  receiver(line: string): void;
  /** `ended`: why the first of them that did not arrive was ended by us. */
  ends(ended?: string): StreamEnd[];
  /** Grows with everything that moves at either end. */
  position(): number;
  /** What went through the pipe until now, and how much it will be as far as is known. */
  progress(): { bytesDone: number; bytesTotal: number };
}

const notArrived = (words: string): StreamEnd => ({ sent: { ok: false, words }, received: undefined });

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
    ends(ended) {
      const open = ends.find(({ sent, received }) => !(sent?.ok && received?.ok));
      if (ended !== undefined && open) Object.assign(open, notArrived(ended));
      return ends;
    },
    position: () => finishedBytes + currentBytes + ends.filter(({ received }) => received).length + current,
    progress: () => ({
      bytesDone: finishedBytes + currentBytes,
      bytesTotal: sizes.reduce((sum, bytes) => sum + bytes, 0),
    }),
  };
}
