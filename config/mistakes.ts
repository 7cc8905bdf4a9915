import leven from 'leven';

/** What is wrong in a configuration, where, and in words for the person who wrote it. */
export interface Mistake {
  file: string;
  /** 1-based; 0 when the whole file is meant. */
  line: number;
  column: number;
  /** Dotted, as in `jobs.photos.resources[1]`; empty for the whole file. */
  key: string;
  message: string;
}

export type KeyPath = readonly (string | number)[];

/** A mistake before its place in the file is known. */
export interface Finding {
  path: KeyPath;
  message: string;
  /** Show the key rather than the value. */
  atKey?: boolean;
  /** Where it is, when that is known from the start. */
  place?: { line: number; column: number };
  /** The known key that an unknown one most likely stands for. */
  meant?: string;
  /** Not a mistake when the file holds this, however wrong it is there. */
  unless?: KeyPath;
}

const plainKey = /^[\w.@-]{1,80}$/;

/** Names come from a file that may hold anything: control characters must not reach a terminal, nor a page of text. */
export const showName = (name: string): string =>
  plainKey.test(name) ? name : JSON.stringify([...name].slice(0, 60).join('').replace(/\p{C}/gu, '?'));

const quoted = (name: string): string => (plainKey.test(name) ? `"${name}"` : showName(name));

/** A dot inside a key would look like one between two. */
const showKey = (key: string): string => (key.includes('.') ? quoted(key) : showName(key));

/** The key as an operator would say it, for messages and for `explain`. */
export const dottedKey = (path: KeyPath): string =>
  path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at ? '.' : ''}${showKey(part)}`))
    .join('');

/** One line, in the form that editors and terminals turn into a link. */
export function renderMistake({ file, line, column, key, message }: Mistake): string {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return key === '' ? `${place}: ${message}` : `${place} ${key}: ${message}`;
}

/** People write `retry_for` and `Retry-For` where `retryFor` is meant. */
const loose = (word: string): string => word.toLowerCase().replace(/[-_\s]/g, '');

function slips(word: string, known: string): number {
  const [typed, meant] = [loose(word).slice(0, 80), loose(known)];
  if (typed.length >= 3 && meant.startsWith(typed)) return 0.5;
  return sameLetters(typed, meant) ? 1 : leven(typed, meant);
}

/** "nsa" for "nas": two letters that changed places count as one slip. */
const sameLetters = (one: string, other: string): boolean =>
  one !== other && [...one].sort().join('') === [...other].sort().join('');

/** The known name that was most likely meant, if any is near enough to be worth saying. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((name) => ({ name, slips: slips(word, name) }))
    .filter(({ name, slips }) => slips <= slipsAllowed(word, name))
    .sort((a, b) => a.slips - b.slips);
  return best?.name;
}

/** One slip in every three letters; none in words so short that any other would be near. */
function slipsAllowed(word: string, known: string): number {
  const length = Math.min(word.length, known.length);
  return length < 3 ? 0 : Math.floor(length / 3);
}

/** Ends a message about an unknown word: the word that was meant, else all that there are. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  if (meant !== undefined) return `; did you mean ${quoted(meant)}?`;
  if (known.length === 0) return '; there are none';
  return `; known: ${listed(known)}`;
}

/** Short enough that the whole message stays readable in one line. */
function listed(names: readonly string[]): string {
  const shown = names.filter((_, at) => names.slice(0, at + 1).join(', ').length <= 160).map(showName);
  const left = names.length - shown.length;
  return `${shown.join(', ')}${left > 0 ? `${shown.length > 0 ? ', and ' : ''}${left} more` : ''}`;
}

/** "no host is named ...", said the same way wherever one name points at another. */
export const unknownName = (kind: string, name: string, known: readonly string[]): string =>
  `there is no ${kind} ${quoted(name)}${suggestion(name, known)}`;
