import { HoldfastError } from '../contracts/errors.js';
import { configJsonSchema, type JsonSchema } from './json-schema.js';
import { entriesOf, inline, isSection, type TypeForm, typeWords } from './keys.js';
import { nearest, showName } from './mistakes.js';

/** What `holdfast explain` knows: each key of holdfast.yaml with what the schema says about it. */

export interface ShortKey {
  /** `jobs.NAME.check.parts` */
  path: string;
  type: string;
  description: string;
}

export interface ExplainedKey extends ShortKey {
  /** Of the job, where several kinds have a key of this name. */
  kind?: string;
  required: boolean;
  /** As they are written in the file. */
  default?: string;
  example?: string;
  /** What lies directly below it. */
  keys: ShortKey[];
}

interface Key {
  segments: string[];
  schema: JsonSchema;
  description: string;
  required: boolean;
  /** The kind of job that it belongs to. */
  kind?: string | undefined;
  /** One of several forms of a value, such as `file` of a secret: too common to be meant by a short name. */
  form: boolean;
}

const anyName = 'NAME';
const words: TypeForm = { code: inline, link: ({ path }) => `settings, see ${path}` };

function keysBelow(above: Pick<Key, 'segments' | 'schema' | 'description' | 'form' | 'kind'>): Key[] {
  const { segments, schema, form, kind } = above;
  const own = Object.entries(schema.properties ?? {}).map(([key, inner]) => ({
    segments: [...segments, key],
    schema: inner,
    description: inner.description ?? '',
    required: schema.required?.includes(key) === true,
    form,
    kind,
  }));
  const entry = entriesOf(schema);
  const named = entry ? [{ ...entryKey(above, entry), required: false }] : [];
  const forms = (schema.anyOf ?? []).map((inner) => ({ ...above, schema: inner, form: true }));
  const kinds = (schema.oneOf ?? []).map((inner) => ({ ...above, schema: inner, kind: kindOf(inner) }));
  const direct = [...own, ...named];
  return [...direct, ...direct.flatMap(keysBelow), ...[...forms, ...kinds].flatMap(keysBelow)];
}

const kindOf = ({ properties }: JsonSchema): string | undefined => {
  const kind = properties?.kind?.const;
  return typeof kind === 'string' ? kind : undefined;
};

const entryKey = (
  { segments, description, form, kind }: Omit<Key, 'schema' | 'required'>,
  entry: JsonSchema,
) => ({
  segments: [...segments, anyName],
  schema: entry,
  description: entry.description ?? `One entry by its name. ${description}`,
  form,
  kind,
});

const allKeys = (): Key[] =>
  keysBelow({ segments: [], schema: configJsonSchema(), description: '', form: false });

const pathOf = ({ segments }: Pick<Key, 'segments'>): string => segments.join('.');

const shortly = (key: Key): ShortKey => ({
  path: pathOf(key),
  type: typeWords(key.schema, pathOf(key), words),
  description: key.description,
});

/** Made from the key's own schema, because two kinds of job may both have a key of this path. */
function describe(key: Key, oneOfSeveral: boolean): ExplainedKey {
  const { schema, required, segments, kind } = key;
  const children = keysBelow(key).filter((other) => other.segments.length === segments.length + 1);
  const example = schema.examples?.[0];
  return {
    ...shortly(key),
    ...((isSection(schema) || schema.oneOf) && { type: 'settings' }),
    required,
    ...(oneOfSeveral && kind !== undefined && { kind }),
    ...(schema.default !== undefined && { default: inline(schema.default) }),
    ...(example !== undefined && { example: inline(example) }),
    keys: children.map(shortly),
  };
}

/** The sections of the file, for whoever does not know yet what to ask for. */
export const configSections = (): ShortKey[] =>
  allKeys()
    .filter(({ segments }) => segments.length === 1)
    .map(shortly);

/** All keys in full, for completion. */
export const configKeys = (): string[] => [...new Set(allKeys().map(pathOf))];

const fits = (typed: readonly string[], known: readonly string[], names: boolean): boolean =>
  typed.length === known.length &&
  typed.every((word, at) => word === known[at] || (names && known[at] === anyName && word !== ''));

/** In full, with real names or NAME; else its last words, of which the very last is never a name that somebody chose. */
function keysNamed(typed: readonly string[], all: readonly Key[]): Key[] {
  const whole = all.filter(({ segments }) => fits(typed, segments, true));
  if (whole.length > 0) return whole;
  const ends = all.filter(({ segments, form }) => !form && segments.at(-1) === typed.at(-1));
  const short = (names: boolean) =>
    ends.filter(({ segments }) => fits(typed, segments.slice(-typed.length), names));
  const literal = short(false);
  return literal.length > 0 ? literal : short(true);
}

/** One entry for each kind of job that has the key. Throws when nothing or several things are meant. */
export function explainKey(text: string): ExplainedKey[] {
  const all = allKeys();
  const typed = text
    .trim()
    .replace(/\[\d*\]/g, '')
    .split('.');
  const found = keysNamed(typed, all);
  const paths = [...new Set(found.map(pathOf))];
  if (paths.length === 1) return found.map((key) => describe(key, found.length > 1));
  if (paths.length === 0) throw unknownKey(text, typed, all);
  throw new HoldfastError('HF_USAGE', `${showName(text)} fits several keys: ${paths.join(', ')}`, {
    next: `Say which: "holdfast explain ${paths[0]}"`,
  });
}

function unknownKey(text: string, typed: readonly string[], all: readonly Key[]): HoldfastError {
  const asked = all.filter(({ segments }) => segments.at(-1) !== anyName);
  const ends = new Map(
    asked.map((key) => {
      const end = key.segments.slice(-typed.length);
      return [end.map((word, at) => (word === anyName ? (typed[at] ?? word) : word)).join('.'), pathOf(key)];
    }),
  );
  const near = nearest(typed.join('.'), [...ends.keys()]);
  const meant = near === undefined ? '' : `; did you mean ${ends.get(near)}?`;
  return new HoldfastError('HF_KEY_NOT_FOUND', `holdfast.yaml has no key ${showName(text)}${meant}`);
}
