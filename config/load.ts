import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '../contracts/errors.js';
import { type ConfigDocument, readDocument } from './document.js';
import { dottedKey, type Finding, type KeyPath, type Mistake, renderMistake } from './mistakes.js';
import { findingsOf, plainMessage, withoutSecret } from './plain-words.js';
import { checkReferences, namesIn } from './references.js';
import { type Config, ConfigFile } from './schema.js';

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
    return { mistakes: syntax.map((mistake) => ({ file, key: '', ...mistake })), warnings: [] };
  }
  if (value === null || value === undefined) return wholeFile(file, 'is empty; at least "hosts" is needed');
  if (typeof value !== 'object' || Array.isArray(value)) {
    return wholeFile(file, 'must hold settings, each on a line "key: ..."');
  }
  const place = (finding: Finding) => placed(document, file, finding);
  const { config, findings, clean } = judge(value);
  const checked = config && checkReferences(config, namesIn(value));
  const contradictions = (checked?.mistakes ?? []).filter(
    ({ unless }) => unless === undefined || valueAt(value, unless) === undefined,
  );
  const duplicates = document.duplicates.map((duplicate) => ({
    ...place(duplicate),
    line: duplicate.line,
    column: duplicate.column,
  }));
  const mistakes = inOrder([...duplicates, ...findings.map(place), ...contradictions.map(place)]);
  const warnings = clean ? inOrder((checked?.warnings ?? []).map(place)) : [];
  return { ...(mistakes.length === 0 && config && { config }), mistakes, warnings };
}

const inOrder = (mistakes: Mistake[]): Mistake[] =>
  mistakes.sort((a, b) => a.line - b.line || a.column - b.column || a.message.localeCompare(b.message, 'en'));

function placed(document: ConfigDocument, file: string, finding: Finding): Mistake {
  const shown = withoutSecret(finding, valueAt(document.value, finding.path));
  return { file, ...document.placeOf(finding), key: dottedKey(shown.path), message: shown.message };
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, part)
        ? (inner as Record<string | number, unknown>)[part]
        : undefined,
    value,
  );
}

interface Judgement {
  /** What is left of the configuration when the parts with mistakes are taken out: the rest can still be checked. */
  config?: Config;
  findings: Finding[];
  clean: boolean;
}

/**
 * One pass of the schema hides what refinements and the cross checks would find. So what is wrong is taken out and the
 * rest judged again, until it fits; what only follows from a part having been taken out is not told.
 */
function judge(input: object): Judgement {
  const value: unknown = structuredClone(input);
  const findings: Finding[] = [];
  const removed: KeyPath[] = [];
  for (let round = 0; round < 20; round += 1) {
    const result = ConfigFile.safeParse(value, { error: plainMessage });
    if (result.success) return { config: result.data, findings, clean: findings.length === 0 };
    const found = result.error.issues.flatMap((issue) => findingsOf(issue));
    findings.push(...found.filter((finding) => !isConsequence(finding, found, removed)));
    for (const finding of found) {
      const gone = takeOut(value, finding);
      if (finding.meant === undefined) removed.push(finding.path, gone);
      if (gone.length === 0) return { findings, clean: false };
    }
  }
  return { findings, clean: false };
}

/** Follows from something taken out beside it, or from a key that is misspelt and told as such. */
function isConsequence({ path }: Finding, found: readonly Finding[], removed: readonly KeyPath[]): boolean {
  const above = path.slice(0, -1);
  if (removed.some((gone) => isBelow(gone, above))) return true;
  return found.some(
    (other) =>
      other.meant !== undefined &&
      other.meant === path.at(-1) &&
      other.path.length === path.length &&
      isBelow(other.path, above),
  );
}

/** A misspelt key is given its right name where that is free, so that what is below it is still judged. */
function takeOut(value: unknown, { path, meant }: Finding): KeyPath {
  const misspelt = meant === undefined ? undefined : valueAt(value, path);
  const gone = removeAt(value, path);
  const parent = valueAt(value, path.slice(0, -1));
  if (meant !== undefined && typeof parent === 'object' && parent !== null && !Object.hasOwn(parent, meant)) {
    (parent as Record<string, unknown>)[meant] = misspelt;
  }
  return gone;
}

const isBelow = (path: KeyPath, above: KeyPath): boolean => above.every((part, at) => path[at] === part);

/** Takes out the value, or the nearest thing around it that is there; says what went. */
function removeAt(value: unknown, path: KeyPath): KeyPath {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = valueAt(value, path.slice(0, depth - 1));
    const part = path[depth - 1] as string | number;
    if (Array.isArray(parent) && Number(part) < parent.length) {
      parent.splice(0);
      return path.slice(0, depth);
    }
    if (typeof parent === 'object' && parent !== null && Object.hasOwn(parent, part)) {
      delete (parent as Record<string | number, unknown>)[part];
      return path.slice(0, depth);
    }
  }
  return [];
}

/** --config, else HOLDFAST_CONFIG, else the first that exists of this folder, the user's and the machine's. */
export function findConfigFile(env: NodeJS.ProcessEnv, explicit?: string): string {
  const named = explicit ?? (env.HOLDFAST_CONFIG || undefined);
  if (named !== undefined) return named;
  const userFolder = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config');
  const places = [
    'holdfast.yaml',
    join(userFolder, 'holdfast', 'holdfast.yaml'),
    '/etc/holdfast/holdfast.yaml',
  ];
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new HoldfastError(
    'HF_CONFIG_INVALID',
    `There is no configuration: looked for ${places.map((place) => (place === 'holdfast.yaml' ? './holdfast.yaml' : place)).join(', ')}. Make one, or name it with --config FILE or HOLDFAST_CONFIG`,
    { places },
  );
}
