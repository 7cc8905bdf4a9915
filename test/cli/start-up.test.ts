import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../support/root.js';

/** What is loaded before a command runs: the static imports of the compiled entry, and theirs. */
function loadedAtStart(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.startsWith('/')) return seen;
  assert.ok(existsSync(file), `${file} is not built`);
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)\b[^;]*?['"]([^'"]+)['"];/gm,
  ))
    loadedAtStart(target.startsWith('.') ? resolve(dirname(file), target) : target, seen);
  return seen;
}

const main = join(repositoryRoot, 'dist/cli/main.js');

test('help loads neither the engine nor the configuration', () => {
  const packages = [...loadedAtStart(main)].filter(
    (name) => !name.startsWith('/') && !name.startsWith('node:'),
  );
  assert.deepEqual(packages.sort(), ['commander', 'picocolors'], 'load it inside run() of the command');
});

test('check loads nothing of the engine', () => {
  const loaded = [...loadedAtStart(join(repositoryRoot, 'dist/config/load.js'))];
  assert.ok(loaded.includes('zod'), 'the test looks at the right file');
  assert.deepEqual(
    loaded.filter((name) => name.startsWith('@temporalio') || name.includes('/schedules/')),
    [],
  );
});
