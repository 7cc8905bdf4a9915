import { mkdirSync, writeFileSync } from 'node:fs';
import { renderCommandReference } from './reference.js';

/** `node dist/cli/generate.js`: writes what is made from the table of commands. */
const folder = new URL('../../docs/reference/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('commands.md', folder), renderCommandReference());
