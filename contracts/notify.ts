import { printable } from './printable.js';

/** Messages to people. Only add optional fields. */

export type NotifyEvent = 'question' | 'failed' | 'warnings' | 'ok';

/** Who is told of what: put into a run's input from the configuration. What the channel is, its host knows. */
export interface NotifyRoute {
  channel: string;
  /** Whose worker sends. */
  host: string;
  on: NotifyEvent[];
}

/** Of the input of every run. */
export interface Notifying {
  /** Who is told when it asks, and how it ended. */
  notify?: NotifyRoute[];
}

/** What is told: facts of the run; how they are worded for a channel is for who sends them. */
export interface Notice {
  event: NotifyEvent | 'test';
  /** In one line: what is asked, what went wrong, what was done. */
  what: string;
  /** Everything else that is known, a line each. */
  lines: string[];
  job?: string;
  run?: string;
  host?: string;
  /** Of a failure. */
  code?: string;
  next?: string;
  /** Of a question: the answer is for just this. */
  digest?: string;
  /** When no answer has become a no. Milliseconds since 1970. */
  untilMs?: number;
}

/** The input of the workflow that brings one message to one channel. */
export interface NotifyInput {
  channel: string;
  host: string;
  notice: Notice;
  /** Somebody waits for the result: one attempt, and a host without a worker is not waited for. */
  once?: true;
}

export interface NotifyStepInput {
  /** The message's own name: the same in every attempt. */
  id: string;
  channel: string;
  notice: Notice;
}

/** A message lies three times in histories, which take little. */
const mostBytes = 12_000;
const mostLineCharacters = 400;
const mostWhatCharacters = 1_000;

/** Names of files may hold anything: one name is one line, of letters alone, and none of it is half a character. */
export const oneLine = (text: string, mostCharacters = mostLineCharacters): string => {
  const characters = [...printable(text).replace(/\p{Surrogate}/gu, '\ufffd')];
  return characters.length > mostCharacters
    ? `${characters.slice(0, mostCharacters - 1).join('')}…`
    : characters.join('');
};

/** The first lines that fit; the last one then says how many do not. */
export function clipLines(lines: readonly string[], most = mostBytes): string[] {
  let bytes = 0;
  const end = lines.findIndex((line) => {
    bytes += bytesOf(line) + 1;
    return bytes > most;
  });
  return end < 0 ? [...lines] : [...lines.slice(0, end), `… and ${lines.length - end} more lines`];
}

/** In UTF-8; the sandbox of workflows has no Buffer. */
export const bytesOf = (text: string): number => {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
};

/** A notice that is short enough for histories and clean enough for every channel. */
export const boundNotice = (notice: Notice): Notice => ({
  ...notice,
  what: oneLine(notice.what, mostWhatCharacters),
  lines: clipLines(notice.lines.map((line) => oneLine(line))),
  ...(notice.next !== undefined && { next: oneLine(notice.next) }),
});
