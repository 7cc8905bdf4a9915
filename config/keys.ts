import { stringify } from 'yaml';
import type { JsonSchema } from './json-schema.js';

/** What the reference page and `explain` say about a key, read from the one schema. */

/** A place that holds keys; entries of a map by name lie below NAME. */
export interface Section {
  path: string;
  schema: JsonSchema;
}

export const isSection = (schema: JsonSchema): boolean => schema.properties !== undefined;

/** What every entry of a map by name looks like. */
export const entriesOf = (schema: JsonSchema): JsonSchema | undefined =>
  typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;

/** Where the settings below a key are described: under its own name, or under NAME for each of its entries. */
export function below(path: string, schema: JsonSchema): Section[] {
  if (isSection(schema)) return [{ path, schema }];
  const entry = entriesOf(schema);
  if (!entry || entry.anyOf) return [];
  const forms = entry.oneOf ?? [entry];
  return forms.filter(isSection).map((form) => ({ path: `${path}.NAME`, schema: form }));
}

/** The section and all below it, in the order of the schema. */
export function sectionsOf(section: Section): Section[] {
  const inner = Object.entries(section.schema.properties ?? {}).flatMap(([key, schema]) =>
    below(section.path === '' ? key : `${section.path}.${key}`, schema),
  );
  return [section, ...inner.flatMap(sectionsOf)];
}

/** A value as it would be written on one line of the file. */
export const inline = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trim();

const limitsOf = ({ minimum, maximum }: JsonSchema): string => {
  if (minimum === undefined) return '';
  return maximum === undefined ? `, at least ${minimum}` : `, ${minimum} to ${maximum}`;
};

const plainTypes: Record<string, string> = { string: 'text', number: 'number', boolean: 'true or false' };

/** How values and sections look where the type is shown: a page has code and links, a terminal has neither. */
export interface TypeForm {
  code: (value: unknown) => string;
  link: (section: Section) => string;
}

/** The type in an operator's words. */
export function typeWords(schema: JsonSchema, path: string, form: TypeForm): string {
  if (schema.title !== undefined) return schema.title;
  const [inner] = below(path, schema);
  if (inner) return isSection(schema) ? form.link(inner) : `by name: ${form.link(inner)}`;
  if (schema.const !== undefined) return form.code(schema.const);
  if (schema.enum) return schema.enum.map(form.code).join(' or ');
  if (schema.type === 'integer') return `whole number${limitsOf(schema)}`;
  if (schema.type === 'array') return `list: ${typeWords(schema.items ?? {}, '', form)}`;
  const entry = entriesOf(schema);
  if (entry) return `by name: ${typeWords(entry, '', form)}`;
  return plainTypes[schema.type ?? ''] ?? 'text';
}
