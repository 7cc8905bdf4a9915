import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configJsonSchema, type JsonSchema, renderJsonSchema } from '../../config/json-schema.js';
import { renderReference } from '../../config/reference.js';
import { repositoryRoot } from '../support/root.js';

const stale = 'is older than config/schema.ts: run "node dist/config/generate.js" and commit what it wrote';

for (const [file, render] of [
  ['config/holdfast.schema.json', renderJsonSchema],
  ['docs/reference/configuration.md', renderReference],
] as const) {
  test(`${file} is what the schema makes of it`, () => {
    assert.equal(readFileSync(join(repositoryRoot, file), 'utf8'), render(), `${file} ${stale}`);
  });
}

interface Key {
  path: string;
  schema: JsonSchema;
}

function keysBelow(path: string, schema: JsonSchema): Key[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const place = `${path}.${key}`;
    return [{ path: place, schema: inner }, ...keysBelow(place, inner)];
  });
  const entries = typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
  const forms = [...entries, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return [...own, ...forms.flatMap((form) => keysBelow(`${path}.*`, form))];
}

const keys = keysBelow('', configJsonSchema());

test('every key has a description', () => {
  assert.ok(keys.length > 60);
  assert.deepEqual(
    keys.filter(({ schema }) => !schema.description).map(({ path }) => path),
    [],
  );
});

test('every key that holds a value has an example or a default', () => {
  const leaves = keys.filter(
    ({ schema }) => !schema.properties && typeof schema.additionalProperties !== 'object',
  );
  assert.deepEqual(
    leaves
      .filter(
        ({ schema }) =>
          schema.examples === undefined && schema.default === undefined && schema.const === undefined,
      )
      .map(({ path }) => path),
    [],
  );
});

test('every link in the reference leads to a heading of it', () => {
  const page = renderReference();
  const anchors = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
  assert.ok(links.length > 10);
  assert.deepEqual(
    links.filter((anchor) => !anchors.includes(anchor ?? '')),
    [],
  );
});
