import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../config/load.js';
import { renderMistake } from '../../config/mistakes.js';
import { repositoryRoot } from '../support/root.js';

const pagesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules' && name !== 'dist')
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return pagesIn(path);
      return entry.name.endsWith('.md') ? [path] : [];
    });

test('every whole configuration in a page of the documentation is right', () => {
  const pages = pagesIn(repositoryRoot);
  assert.ok(pages.length > 0);
  for (const page of pages) {
    for (const [, block = ''] of readFileSync(page, 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)) {
      if (!/^hosts:/m.test(block)) continue;
      const { mistakes } = parseConfig(block, relative(repositoryRoot, page));
      assert.deepEqual(mistakes.map(renderMistake), []);
    }
  }
});
