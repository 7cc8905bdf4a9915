import { mkdirSync, writeFileSync } from 'node:fs';
import { renderJsonSchema } from './json-schema.js';
import { renderReference } from './reference.js';

/** `node dist/config/generate.js`: writes what is made from the schema. A test fails while the files differ. */
const root = new URL('../../', import.meta.url);
mkdirSync(new URL('docs/reference/', root), { recursive: true });
writeFileSync(new URL('config/holdfast.schema.json', root), renderJsonSchema());
writeFileSync(new URL('docs/reference/configuration.md', root), renderReference());
