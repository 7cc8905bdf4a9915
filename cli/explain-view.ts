import { configSections, type ExplainedKey, explainKey, type ShortKey } from '../config/explain.js';
import { suggestion } from '../config/mistakes.js';
import type { ErrorEntry, Retry } from '../contracts/error-entry.js';
import { errors, HoldfastError, isErrorCode } from '../contracts/errors.js';
import type { Context } from './context.js';
import { exitCodeMeanings, exitCodes } from './exit-codes.js';
import { shown } from './jobs.js';
import { facts, table } from './render.js';

/** `explain` alone: where to begin. */
export function explainSections(context: Context): number {
  const sections = configSections();
  if (context.json) context.out(JSON.stringify({ sections }, null, 2));
  else {
    context.out(keyTable(context, sections));
    context.note('more: holdfast explain SECTION, holdfast explain KEY, holdfast explain HF_CODE');
  }
  return exitCodes.done;
}

/** `explain KEY` and `explain HF_CODE`. */
export function explainWord(context: Context, word: string): number {
  if (/^hf_/i.test(word)) return explainError(context, word.toUpperCase());
  const keys = explainKey(word);
  if (context.json) context.out(JSON.stringify({ keys }, null, 2));
  else context.out(keys.map((key) => keyText(context, key)).join('\n\n'));
  return exitCodes.done;
}

const keyTable = (context: Context, keys: readonly ShortKey[]): string =>
  table(
    context,
    ['key', 'type', 'description'],
    keys.map(({ path, type, description }) => [path, type, description]),
  );

function keyText(context: Context, key: ExplainedKey): string {
  const preset = key.default ?? (key.required ? 'none, it must be given' : 'none, it may be left out');
  const rows: [string, string][] = [
    ['type', key.type],
    ['default', preset],
    ...(key.example === undefined ? [] : ([['example', key.example]] as [string, string][])),
  ];
  const kind = key.kind === undefined ? '' : ` (${key.kind})`;
  const head = `${context.colours.bold(key.path)}${kind}\n${key.description}\n\n${facts(context, rows)}`;
  return key.keys.length === 0 ? head : `${head}\n\n${keyTable(context, key.keys)}`;
}

const retryWords: Record<Retry, string> = {
  never: 'no: the same attempt would fail again',
  outage: 'yes, with growing pauses, until retryFor of the job has passed without progress',
};

function explainError(context: Context, code: string): number {
  if (!isErrorCode(code)) {
    const near = suggestion(code, Object.keys(errors));
    throw new HoldfastError('HF_KEY_NOT_FOUND', `There is no error code ${shown(code)}${near}`);
  }
  const { meaning, retry, exit, next }: ErrorEntry = errors[code];
  if (context.json) {
    context.out(JSON.stringify({ code, meaning, retry, exit, next }, null, 2));
    return exitCodes.done;
  }
  const exitMeaning = exitCodeMeanings.find(([number]) => number === exit)?.[1] ?? '';
  const rows: [string, string][] = [
    ['tried again', retryWords[retry]],
    ['exit code', `${exit}: ${exitMeaning}`],
    ['next', next],
  ];
  context.out(`${context.colours.bold(code)}\n${meaning}\n\n${facts(context, rows)}`);
  return exitCodes.done;
}
