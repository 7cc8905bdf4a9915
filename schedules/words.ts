/** Small things in words: durations, lists, code in Markdown, addresses without what is secret in them. */

const units: readonly [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** Exact, in the form that holdfast.yaml takes: 93 600 000 -> "26h", 172 800 000 -> "2d". */
export function durationWords(milliseconds: number): string {
  const [unit, size] = units.find(([, size]) => milliseconds % size === 0) ?? ['ms', 1];
  return milliseconds === 0 ? '0s' : `${milliseconds / size}${unit}`;
}

/** The first few, and how many more there are: details have a limit of 20 KB. */
export function listWords(items: readonly string[], most: number): string {
  const more = items.length - most;
  return more > 0 ? `${items.slice(0, most).join(', ')} and ${more} more` : items.join(', ');
}

/** Names of files may hold anything; the Web UI must show it and not interpret it. */
export function code(text: string): string {
  const oneLine = text.replace(/\p{Cc}/gu, '\uFFFD').slice(0, 150);
  const longestTicks = Math.max(0, ...[...oneLine.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longestTicks + 1);
  const padding = longestTicks > 0 ? ' ' : '';
  return `${fence}${padding}${oneLine}${padding}${fence}`;
}

/**
 * The address of a repository without any user or password in it.
 * A password may hold "/" and "@" unescaped, so everything up to the last "@" goes unless a plain port comes first.
 */
export function publicAddress(repository: string): string {
  return repository
    .replace(/(:\/\/)[^/]*@/, '$1')
    .replace(/(:\/\/)(?![^/@:]*:\d+(?:\/|$))[^@/:]*:.*@/, '$1')
    .replace(/^(sftp:)(?!\/\/)[^/]*@/, '$1')
    .replace(/^((?:rest|s3):[^?]*)\?.*$/, '$1')
    .replace(/^(rclone:[^,]*),.*?(:[^:]*)$/, '$1$2');
}

/** The server's limits are in bytes, and a cut must not tear a character apart. */
export function clipBytes(text: string, mostBytes: number): string {
  if (Buffer.byteLength(text) <= mostBytes) return text;
  const characters = [...text];
  while (Buffer.byteLength(characters.join('')) > mostBytes - Buffer.byteLength('…')) {
    characters.length -= Math.max(1, Math.floor((Buffer.byteLength(characters.join('')) - mostBytes) / 4));
  }
  return `${characters.join('')}…`;
}

/** What is promised, in a line of its own. */
export const promise = (words: string, objectiveMs: number | undefined): string =>
  objectiveMs === undefined ? 'Promise: none' : `Promise: ${words} ${durationWords(objectiveMs)}`;

/** Of a schedule that the file does not name any more, and that nobody has taken away. */
export const orphanWords = (id: string, paused: boolean): string =>
  `${id} is not in the file any more and ${paused ? 'is paused' : 'still starts runs'}: holdfast apply --prune`;
