import type { Command } from '../../system/host.js';
import type { Piece } from './files-plan.js';
import { quote } from './replicate-script.js';

/** The programs of sh that look at files on either side: find, sha256sum and sort of GNU. Pure: text out. */

const startOf = ({ within }: Pick<Piece, 'within'>): string => (within === '' ? '.' : `./${within}`);

/** Names of datasets hold no signs that find would take for a pattern. */
function prune(inner: readonly string[]): string {
  if (inner.length === 0) return '';
  return `\\( ${inner.map((name) => `-path ${quote(`./${name}`)}`).join(' -o ')} \\) -prune -o `;
}

const finder = (piece: Piece): string => `find ${quote(startOf(piece))} ${prune(piece.inner)}`;

const prelude = ['set -eu', 'umask 077', 'LC_ALL=C; export LC_ALL'];

/** Says how many files there are and how many bytes they have; fails when the place is not there. */
export const countScript = (folder: string, piece: Piece): string =>
  [
    ...prelude,
    `cd -- ${quote(folder)}`,
    `${finder(piece)}-type f -printf '%s\\n' | awk '{ n += 1; s += $1 } END { printf "%.0f %.0f\\n", n, s }'`,
    // find says nothing with its exit code behind a pipe: asked again without one.
    `${finder(piece)}-type d -print > /dev/null`,
    '',
  ].join('\n');

/** A folder in whose place a dataset comes must be an empty folder: what lies in it would be lost. Prints the names of those that are not. */
export const innerScript = (folder: string, { inner }: Piece): string =>
  [
    ...prelude,
    `cd -- ${quote(folder)}`,
    `for n in ${inner.map((name) => quote(`./${name}`)).join(' ')}; do`,
    'if [ -L "$n" ] || { [ -e "$n" ] && [ ! -d "$n" ]; }; then printf "%s\\n" "$n"',
    'elif [ -d "$n" ] && [ -n "$(find "$n" -mindepth 1 -print -quit)" ]; then printf "%s\\n" "$n"; fi; done',
    '',
  ].join('\n');

/**
 * One record for each entry, sorted, into a file: type, mode, owner, time, size, path; for files a second one with what they hash to.
 * Prints the digest of all records. Records end with a NUL, because names may hold line breaks. "//" is in no path that find tells.
 */
export function recordScript(folder: string, piece: Piece, out: string, withOwners: boolean): string {
  const owner = withOwners ? '%U:%G' : '-';
  const find = finder(piece);
  return [
    ...prelude,
    `o=${quote(out)}`,
    'trap \'rm -f -- "$o.entries" "$o.files" "$o.sums"\' EXIT',
    `cd -- ${quote(folder)}`,
    `${find}\\( -type d -printf 'd %m ${owner} %T@ %p\\0' -o -type f -printf 'f %m ${owner} %T@ %s %p\\0' -o -type l -printf 'l ${owner} %T@ %p//%l\\0' -o -type s -o -printf '%y %m ${owner} %T@ %p\\0' \\) > "$o.entries"`,
    `${find}-type f -print0 > "$o.files"`,
    // Its own words would name files with line breaks oddly; -z keeps names as they are.
    'xargs -0 -r sha256sum -z -- < "$o.files" > "$o.sums"',
    'sort -z -- "$o.entries" "$o.sums" > "$o"',
    'sha256sum < "$o" | cut -c 1-64',
    `${find}-type s -print0 | tr -dc '\\000' | wc -c`,
    '',
  ].join('\n');
}

/** The records as lines; a line break in a name is a NUL there. */
export const linesScript = (out: string): string =>
  ['set -eu', `tr '\\000\\n' '\\n\\000' < ${quote(out)}`, ''].join('\n');

/** Files with several names, a line each: inode and path. */
export const linksScript = (folder: string, piece: Piece, out: string): string =>
  [
    ...prelude,
    `o=${quote(`${out}.links`)}`,
    'trap \'rm -f -- "$o"\' EXIT',
    `cd -- ${quote(folder)}`,
    `${finder(piece)}-type f -links +1 -printf '%i %p\\0' > "$o"`,
    `tr '\\000\\n' '\\n\\000' < "$o"`,
    '',
  ].join('\n');

/** Extended attributes and access lists, which Linux keeps as such, of what has some. */
export const attributesScript = (folder: string, piece: Piece): string =>
  [
    ...prelude,
    `cd -- ${quote(folder)}`,
    `${finder(piece)}-print0 | xargs -0 -r getfattr --no-dereference --absolute-names --dump --match=- --encoding=hex --`,
    '',
  ].join('\n');

/** What every archive of ours carries: owners by number, access lists, all attributes but the labels of the system itself. */
const everything = [
  '--numeric-owner',
  '--acls',
  '--xattrs',
  '--xattrs-include=*',
  '--xattrs-exclude=security.selinux',
];

/** Without variables: what reads from a wire or writes to one is given none. */
export const packCommand = (folder: string, { within, inner }: Piece): Command => ({
  file: 'tar',
  args: [
    ...['--create', '--file=-', '--format=posix', '--sparse', ...everything],
    // A record is 10 KiB: so a line about each 10 MiB says how far it is.
    ...['--checkpoint=1000', '--checkpoint-action=echo=%u'],
    ...['--anchored', '--no-wildcards', ...inner.map((name) => `--exclude=./${name}`)],
    ...['--directory', folder, '--', startOf({ within })],
  ],
});

export const unpackCommand = (folder: string, isRoot: boolean): Command => ({
  file: 'tar',
  args: [
    ...['--extract', '--file=-', ...everything, '--preserve-permissions', '--delay-directory-restore'],
    isRoot ? '--same-owner' : '--no-same-owner',
    ...['--directory', folder],
  ],
});

/** "tar: 3000" -> bytes; undefined for whatever else it says. */
export function packedBytes(line: string): number | undefined {
  const [, records] = /^tar: (\d+)$/.exec(line) ?? [];
  return records === undefined ? undefined : Number(records) * 10_240;
}
