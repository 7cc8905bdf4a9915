import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A word as it stands on bash's command line, without quotes and backslashes. Nothing in it is expanded or run. */
export function unquote(word: string): string {
  const pieces = word.matchAll(/'([^']*)'?|"((?:[^"\\]|\\.)*)"?|\\(.)|([^'"\\]+)/gs);
  return [...pieces]
    .map(
      ([, single, double, escaped, plain]) =>
        single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain,
    )
    .join('');
}

/** The shell has not expanded "~/x" while the word is still being typed. */
export const fromHome = (path: string, home: string | undefined): string =>
  home !== undefined && path.startsWith('~/') && !existsSync(path) ? join(home, path.slice(2)) : path;
