import Table from 'cli-table3';
import prettyBytes from 'pretty-bytes';
import type { Context } from './context.js';
import { printable } from './printable.js';

/** Bytes as people read them; binary units, as the tools of this field use. */
export const bytes = (count: number): string => prettyBytes(Math.max(0, count), { binary: true });

/** A table: columns on a terminal, one line per row with tabs in a pipe (for cut and awk), no borders in either. */
export function table(
  context: Pick<Context, 'terminal' | 'colours'>,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  if (!context.terminal) return [head, ...rows].map((row) => row.map(oneLine).join('\t')).join('\n');
  const view = new Table({
    head: head.map((title) => context.colours.dim(title)),
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  view.push(...rows.map((row) => row.map(oneLine)));
  return trimmedLines(view.toString());
}

/** Two columns without a head: what `show` begins with. */
export function facts(
  context: Pick<Context, 'terminal' | 'colours'>,
  rows: readonly (readonly [string, string])[],
): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows
    .map(([name, value]) => `${context.colours.dim(name.padEnd(width))}  ${oneLine(value)}`)
    .join('\n');
}

/** Colours are added before a cell is cut to one line, so sequences like our own stay: what hides text is not among them. */
const oneLine = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our colour sequences are kept apart from the rest
    .split(/(\u001b\[(?:[012]|22|3[1-69]|9[0-7])m)/)
    .map((part, index) => (index % 2 === 1 ? part : printable(part)))
    .join('');

const trimmedLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');

const noBorders = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, '']),
);
