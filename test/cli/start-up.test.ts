import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../support/root.js';
import { loadedAtStart, packagesLoadedAtStart } from './loaded-at-start.js';

const main = join(repositoryRoot, 'dist/cli/main.js');

test('help loads neither the engine nor the configuration', () => {
  assert.deepEqual(
    packagesLoadedAtStart(main).sort(),
    ['commander', 'picocolors'],
    'load it inside run() of the command',
  );
});

test('check loads nothing of the engine', () => {
  const loaded = [...loadedAtStart(join(repositoryRoot, 'dist/config/load.js'))];
  assert.ok(loaded.includes('zod'), 'the test looks at the right file');
  assert.deepEqual(
    loaded.filter((name) => name.startsWith('@temporalio') || name.includes('/schedules/')),
    [],
  );
});
