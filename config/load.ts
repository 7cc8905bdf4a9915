import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HoldfastError } from '../contracts/errors.js';
import { type ConfigDocument, readDocument } from './document.js';
import { asWritten, judge, type Renamed, valueAt } from './judge.js';
import { dottedKey, type Finding, type Mistake, renderMistake } from './mistakes.js';
import { withoutSecret } from './plain-words.js';
import { checkReferences, namesIn } from './references.js';
import type { Config } from './schema.js';

/** From a file to a Config, or to the list of everything that is wrong with it. */
export interface ReadResult {
  /** Absent as soon as there is one mistake. */
  config?: Config;
  mistakes: Mistake[];
  /** What is allowed and still most likely not meant. */
  warnings: Mistake[];
}

/** For every room that needs a right configuration and has no use for a wrong one. */
export function loadConfig(file: string): Config {
  const { config, mistakes } = readConfig(file);
  if (config) return config;
  const head = mistakes.length === 1 ? '' : `${mistakes.length} mistakes in the configuration:\n`;
  throw new HoldfastError('HF_CONFIG_INVALID', head + mistakes.map(renderMistake).join('\n'), { mistakes });
}

/** For `holdfast check`, which shows warnings too. */
export function readConfig(file: string): ReadResult {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
    return parseConfig(text, file);
  } catch (error) {
    return wholeFile(file, unreadable(error));
  }
}

const wholeFile = (file: string, message: string): ReadResult => ({
  mistakes: [{ file, line: 0, column: 0, key: '', message }],
  warnings: [],
});

function unreadable(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EISDIR') return 'is a folder; a file is needed';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not text in UTF-8';
  if (code !== undefined) return `cannot be read (${code})`;
  throw error;
}

/** The text of a configuration, judged as a whole: all mistakes at once, in the order of the file. */
export function parseConfig(text: string, file: string): ReadResult {
  const document = readDocument(text);
  const { syntax, value } = document;
  if (syntax.length > 0) {
    return { mistakes: inOrder(syntax.map((mistake) => ({ file, key: '', ...mistake }))), warnings: [] };
  }
  if (value === null || value === undefined) return wholeFile(file, 'is empty; at least "hosts" is needed');
  if (typeof value !== 'object' || Array.isArray(value)) {
    return wholeFile(file, 'must hold settings, each on a line "key: ..."');
  }
  const { config, findings, clean, renamed } = judge(value);
  const place = (finding: Finding) => placed(document, file, finding, renamed);
  const checked = config && checkReferences(config, namesIn(value), resolve(file));
  const mistakes = inOrder([
    ...document.duplicates.map(place),
    ...findings.map(place),
    ...(checked?.mistakes ?? []).filter((finding) => !isExplained(document, finding)).map(place),
  ]);
  const warnings = clean ? inOrder((checked?.warnings ?? []).map(place)) : [];
  return { ...(clean && mistakes.length === 0 && { config }), mistakes, warnings };
}

/** A contradiction that comes from a mistake which is told already: a wrong entry, or a section that hides another. */
const isExplained = (document: ConfigDocument, { unless }: Finding): boolean =>
  document.duplicates.some(({ path }) => path.length === 1) ||
  (unless !== undefined && valueAt(document.value, unless) !== undefined);

const inOrder = (mistakes: Mistake[]): Mistake[] =>
  mistakes.sort((a, b) => a.line - b.line || a.column - b.column || a.message.localeCompare(b.message, 'en'));

function placed(
  document: ConfigDocument,
  file: string,
  finding: Finding,
  renamed: readonly Renamed[],
): Mistake {
  const path = asWritten(finding.path, renamed);
  const { line, column } = finding.place ?? document.placeOf({ ...finding, path });
  const shown = withoutSecret(finding, valueAt(document.value, path));
  return { file, line, column, key: dottedKey(asWritten(shown.path, renamed)), message: shown.message };
}
