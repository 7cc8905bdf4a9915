import type { Done } from './replicate-ends.js';

/**
 * Many bookmarks in one moment by a channel program: 24 take 0.4 s so and 8 s one by one (two guests under emulation). Only root may run
 * one; elsewhere the same bookmarks are made by a command each.
 */

/** Lua; says the error number of each, 0 for none. */
const program = `args = ...
argv = args["argv"]
result = {}
for i = 1, #argv, 2 do
  result[argv[i + 1]] = zfs.sync.bookmark(argv[i], argv[i + 1])
end
return result
`;

/** From so many on: for fewer the program is not worth its own start. */
export const manyBookmarks = 3;

/** A function of the shell, \`b CALL POOL FROM CURSOR FROM CURSOR …\`; \`zz\` is zfs there, with sudo where it is needed. */
export const bookmarkFunction = (quote: (text: string) => string, flat: string): string[] => [
  `l=${quote(program)}`,
  'b() { i=$1; p=$2; shift 2; k=0',
  `if o=$(printf '%s' "$l" | zz program "$p" - "$@" 2>/dev/null); then`,
  `printf '%s\\n' "$o" | while IFS= read -r a; do printf 'P%s\\t%s\\n' "$i" "$a"; done; return; fi`,
  `while [ "$#" -gt 0 ]; do e=$(zz bookmark "$1" "$2" 2>&1 >/dev/null </dev/null); c=$?; if [ "$c" = 0 ]; then e=; fi`,
  `printf '%s.%s\\t%s\\t%s\\n' "$i" "$k" "$c" "${flat}"; k=$((k+1)); shift 2; done; }`,
];

/** One that was made, in the output of the program, as a pattern of grep. */
export const bookmarkMade = '^P[0-9]*.*#.*: 0$';

const wordsFor: Record<string, string> = { '2': 'dataset does not exist', '17': 'bookmark exists' };

/** What one line of the program's output says of which cursor; undefined for its frame. */
export function readBookmark(line: string): { cursor: string; done: Done } | undefined {
  const [, cursor, code = ''] = /^\s+(.+#.+): (-?\d+)$/.exec(line) ?? [];
  if (cursor === undefined) return undefined;
  return {
    cursor,
    done: { ok: code === '0', words: code === '0' ? '' : (wordsFor[code] ?? `error ${code}`) },
  };
}
