import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLWarning,
} from 'yaml';
import type { Finding, KeyPath } from './mistakes.js';

/** The YAML side of a configuration: its values, and where in the text each of them stands. */
export interface Place {
  line: number;
  column: number;
}
export interface ConfigDocument {
  value: unknown;
  /** What keeps the text from being read at all. */
  syntax: (Place & { message: string })[];
  /** Keys that stand twice in one map (YAML would silently keep the last), and one that JavaScript would lose. */
  duplicates: Finding[];
  placeOf: (finding: Pick<Finding, 'path' | 'atKey'>) => Place;
}

/** Own words, because the library's quote the text, and the text may hold a secret. */
const syntaxWords: Record<string, string> = {
  BAD_ALIAS: 'text that begins with * or & must be in quotes',
  BAD_DIRECTIVE: 'a line beginning with % is not understood',
  BAD_DQ_ESCAPE: 'a backslash in "double quotes" needs to be doubled; or use \'single quotes\'',
  BAD_INDENT: 'the indentation is wrong, or a bracket is not closed',
  BAD_PROP_ORDER: 'an anchor or tag stands in the wrong place',
  BAD_SCALAR_START: 'a value that begins with @, %, ` or the like must be in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a second "key:" where a value is expected: look at the indentation, or quote the value',
  BLOCK_IN_FLOW: 'an indented block cannot stand inside { } or [ ]',
  COMMENT_SPACE: 'a comment needs a space before its #',
  MISSING_CHAR: 'something is missing before this: a colon, a comma, a closing quote or a closing bracket',
  MULTILINE_IMPLICIT_KEY: 'a colon with a space after it is missing, or the indentation is wrong',
  MULTIPLE_DOCS: 'a line "---" begins a second document; write everything in one',
  TAG_RESOLVE_FAILED:
    'a tag such as !secret is not understood here; a secret is a reference such as { file: /path }',
  TAB_AS_INDENT: 'the line is indented with a tab; use spaces',
  UNEXPECTED_TOKEN: 'this cannot stand here: look at the indentation, the quotes and the brackets',
};
const syntaxMessage = (code: string): string =>
  `not valid YAML: ${syntaxWords[code] ?? 'look at the indentation, the quotes and the brackets'}`;

/** Reads the text without judging it. Never throws, never echoes a value. */
export function readDocument(text: string): ConfigDocument {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      merge: true,
    });
    const syntax = syntaxMistakes(document, placeAt);
    if (syntax.length > 0) return unread(syntax);
    return {
      value: document.toJS({ maxAliasCount: 100 }),
      syntax,
      duplicates: findDuplicates(document, placeAt),
      placeOf: (finding) => placeAt(offsetOf(document, finding)),
    };
  } catch {
    // A merge of something that is no map, an alias bomb, or nesting that is too deep for the parser.
    const message = 'not valid YAML: its aliases, merges (<<) or brackets cannot be resolved';
    return unread([{ line: 1, column: 1, message }]);
  }
}

const unread = (syntax: ConfigDocument['syntax']): ConfigDocument => ({
  value: undefined,
  syntax,
  duplicates: [],
  placeOf: () => ({ line: 1, column: 1 }),
});

function syntaxMistakes(document: Document, placeAt: (offset: number) => Place): ConfigDocument['syntax'] {
  const aliases = brokenAliases(document).map((offset) => ({
    ...placeAt(offset),
    message: 'not valid YAML: text that begins with * must be in quotes',
  }));
  return [...oneForEachLine([...document.errors, ...document.warnings], placeAt), ...aliases];
}

/** One slip makes the parser stumble several times on the same line. */
function oneForEachLine(errors: (YAMLError | YAMLWarning)[], placeAt: (offset: number) => Place) {
  const seen = new Set<number>();
  return errors
    .map((error) => ({ ...placeAt(error.pos[0]), message: syntaxMessage(error.code) }))
    .filter(({ line }) => !seen.has(line) && seen.add(line));
}

function brokenAliases(document: Document): number[] {
  const offsets: number[] = [];
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) === undefined) offsets.push(alias.range?.[0] ?? 0);
    },
  });
  return offsets;
}

const keyText = (pair: Pair): string => String(isScalar(pair.key) ? pair.key.value : pair.key);
const startOf = (node: unknown): number | undefined => (node as Node | undefined)?.range?.[0];
const resolved = (document: Document, node: unknown): unknown =>
  isAlias(node) ? (node as Alias).resolve(document) : node;

/** What lies under a key or an index, and the node to point at for it. */
function step(document: Document, parent: unknown, part: string | number, atKey: boolean) {
  if (isSeq(parent)) {
    const item = parent.items[Number(part)];
    return item === undefined ? undefined : { child: item, shown: item };
  }
  if (!isMap(parent)) return undefined;
  const pair = parent.items.findLast((item) => keyText(item) === String(part));
  if (!pair) return undefined;
  const child = resolved(document, pair.value);
  const shown = atKey || isMap(child) || isSeq(child) ? pair.key : (pair.value ?? pair.key);
  return { child: pair.value, shown };
}

/** Walks down as far as the text goes: a key that is missing is shown where its parent begins. */
function offsetOf(document: Document, { path, atKey = false }: Pick<Finding, 'path' | 'atKey'>): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, part] of path.entries()) {
    const found = step(document, resolved(document, node), part, atKey && depth === path.length - 1);
    if (!found) return offset;
    offset = startOf(found.shown) ?? offset;
    node = found.child;
  }
  return offset;
}

function findDuplicates(document: Document, placeAt: (offset: number) => Place): Finding[] {
  const walk = (node: unknown, path: KeyPath): Finding[] => [
    ...(isMap(node) ? repeatedKeys(node.items, path, placeAt) : []),
    ...childrenOf(node).flatMap(([part, child]) => walk(child, [...path, part])),
  ];
  return walk(document.contents, []);
}

function childrenOf(node: unknown): [string | number, unknown][] {
  if (isSeq(node)) return [...node.items.entries()];
  return isMap(node) ? node.items.map((pair) => [keyText(pair), pair.value]) : [];
}

function repeatedKeys(pairs: Pair[], path: KeyPath, placeAt: (offset: number) => Place): Finding[] {
  const first = new Map<string, number>();
  return pairs.flatMap((pair) => {
    const key = keyText(pair);
    const place = placeAt(startOf(pair.key) ?? 0);
    const message = keyMistake(key, first.get(key));
    if (!first.has(key)) first.set(key, place.line);
    return message === undefined ? [] : [{ path: [...path, key], place, message }];
  });
}

function keyMistake(key: string, firstLine: number | undefined): string | undefined {
  if (key === '__proto__') return 'cannot be a name';
  return firstLine === undefined ? undefined : `stands here a second time; the first is in line ${firstLine}`;
}
