import { nameToBytes } from '../../system/file-names.js';
import type { Command } from '../../system/host.js';
import { quote } from '../../system/ssh-script.js';

/** One program over many files. Arguments are text, and names need not be: each byte that is no plain letter goes as an octal number. */

const script = (words: readonly string[]): string =>
  `printf '%b\\0' "$@" | xargs --null --no-run-if-empty -- ${words.map(quote).join(' ')}`;

/** `words` are the program and what stands before the names. It fails when one of the files did. */
export const overFiles = (words: readonly string[], files: readonly string[]): Command => ({
  file: 'sh',
  args: ['-c', script(words), 'sh', ...files.map(escaped)],
});

/** As `printf %b` takes it. */
const escaped = (name: string): string =>
  nameToBytes(name)
    .toString('latin1')
    .replace(/[^A-Za-z0-9/._-]/g, (byte) => `\\0${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
