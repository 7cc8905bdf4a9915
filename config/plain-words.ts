import type { z } from 'zod';
import { type Finding, type KeyPath, nearest, showName, suggestion } from './mistakes.js';

/** What the schema found, in the words of somebody who runs a homelab and has never heard of Zod. */

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

const typeWords: Record<string, string> = {
  string: 'must be text',
  number: 'must be a number',
  int: 'must be a whole number',
  boolean: 'must be true or false',
  array: 'must be a list, for example [a, b]',
  object: 'must hold settings of its own, each on a line "key: value"',
  record: 'must hold named entries, each on a line "name: ..."',
};

function typeMessage(issue: RawIssue & { code: 'invalid_type' }): string {
  if (issue.input === undefined) return 'is missing';
  const holdsKeys = issue.expected === 'object' || issue.expected === 'record';
  if (issue.input === null) return holdsKeys ? 'is empty; write {} when nothing is to be set' : 'is empty';
  const words = typeWords[issue.expected] ?? 'has the wrong type';
  if (issue.expected === 'number' && isNumberInQuotes(issue.input)) return `${words}, without quotes`;
  const unquoted = typeof issue.input === 'number' || typeof issue.input === 'boolean';
  return issue.expected === 'string' && unquoted ? `${words}; put it in quotes` : words;
}

const isNumberInQuotes = (input: unknown): boolean =>
  typeof input === 'string' && /^\d+(\.\d+)?$/.test(input);

function rangeMessage(issue: RawIssue & { code: 'too_small' | 'too_big' }): string {
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  const counted = issue.origin === 'string' || issue.origin === 'array';
  return counted ? 'must not be empty' : `must be at least ${issue.minimum}`;
}

const choice = (values: readonly unknown[], input: unknown): string => {
  const known = values.map(String);
  const meant = typeof input === 'string' ? suggestion(input, known) : '';
  return `is not one of ${known.map((value) => `"${value}"`).join(', ')}${meant.startsWith('; did') ? meant : ''}`;
};

const knownKeys = (issue: RawIssue): string[] =>
  Object.keys((issue.inst as unknown as z.ZodObject | undefined)?.shape ?? {});

/** Given to Zod for what the schema has no message of its own for. It never quotes a value: it might be a secret. */
export function plainMessage(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeMessage(issue as RawIssue & { code: 'invalid_type' });
    case 'too_small':
    case 'too_big':
      return rangeMessage(issue as RawIssue & { code: 'too_small' | 'too_big' });
    case 'invalid_value':
      return choice(issue.values as unknown[], issue.input);
    case 'unrecognized_keys':
      // Only here is the place's schema at hand; unknownKeys() below takes the list apart again.
      return knownKeys(issue).join(' ');
    case 'invalid_union':
      return issue.discriminator === undefined
        ? 'has none of the forms that are possible here'
        : kindMessage(issue);
    default:
      return 'does not have the right form';
  }
}

function kindMessage(issue: RawIssue): string {
  const key = String(issue.discriminator);
  const given = (issue.input as Record<string, unknown> | undefined)?.[key];
  return given === undefined || given === null ? 'is missing' : choice(issue.options as unknown[], given);
}

const unknownKeys = (issue: Issue & { code: 'unrecognized_keys' }, path: KeyPath): Finding[] =>
  issue.keys.map((key) => {
    const known = issue.message.split(' ');
    const message = `unknown key${suggestion(key, known)}`;
    return { path: [...path, key], atKey: true, message, meant: nearest(key, known) };
  });

/** True when the author plainly meant this form: the same keys, only a value in it is wrong. */
const isMeant = (issues: readonly Issue[]): boolean => issues.every((issue) => !isWrongForm(issue));

function isWrongForm(issue: Issue): boolean {
  if (issue.code === 'unrecognized_keys') return true;
  if (issue.code === 'invalid_union' && issue.path.length === 0) return !issue.errors.some(isMeant);
  return issue.code === 'invalid_type' && (issue.path.length === 0 || issue.message === 'is missing');
}

/** One issue of Zod as what we tell: several unknown keys are several, a union is the form that was meant. */
export function findingsOf(issue: Issue, above: KeyPath = []): Finding[] {
  const path = [...above, ...(issue.path as KeyPath)];
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue, path);
  if (issue.code === 'invalid_key') {
    const message = issue.issues[0]?.message ?? 'is not a usable name';
    return [{ path, message, atKey: true }];
  }
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find(isMeant);
    if (meant && meant.length > 0) return meant.flatMap((inner) => findingsOf(inner, path));
  }
  return [{ path, message: issue.message }];
}

/** What may hold a secret, by where it stands; below `env` and `headers` the names of the entries are none. */
const secretPlaces = [
  'stores.*.restic.password',
  'stores.*.restic.env',
  'notifications.*.ntfy.url',
  'notifications.*.ntfy.token',
]
  .concat([
    'notifications.*.mail.smtp.password',
    'notifications.*.webhook.url',
    'notifications.*.webhook.headers',
  ])
  .map((place) => place.split('.'));

const secretPlaceOf = (path: KeyPath): string[] | undefined =>
  secretPlaces.find((place) => place.every((part, at) => part === '*' || part === path[at]));

/** Below a secret even a key may be the secret, as in `password: { hunter2 }`: such a key is shown as its parent. */
export function withoutSecret(finding: Finding, value: unknown): Finding {
  const { path } = finding;
  const place = secretPlaceOf(path);
  if (!place || path.length <= place.length) return finding;
  const name = path[place.length];
  const last = place.at(-1);
  const isName = (last === 'env' && isVariable(name)) || (last === 'headers' && isHeader(name));
  const known = isName && value !== null && value !== undefined;
  return { ...finding, path: path.slice(0, place.length + (known ? 1 : 0)), atKey: true };
}
const isHeader = (name: unknown): boolean => typeof name === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(name);
const isVariable = (name: unknown): boolean =>
  typeof name === 'string' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && showName(name) === name;
