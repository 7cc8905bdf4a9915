import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('no package.json above the tests');
  return findRoot(parent);
}

/** The checkout: tests run from dist/test, but read golden files and start bin/holdfast.js from here. */
export const repositoryRoot = findRoot(dirname(fileURLToPath(import.meta.url)));
