import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

for (const [stream, args] of [
  ['stdout', ['--help']],
  ['stderr', ['no-such-command']],
] as const)
  test(`a reader of ${stream} that goes away leaves no stack and no success`, async () => {
    const child = spawn(process.execPath, [join(repositoryRoot, 'bin/holdfast.js'), ...args]);
    child[stream].destroy();
    let rest = '';
    child[stream === 'stdout' ? 'stderr' : 'stdout'].on('data', (chunk) => {
      rest += chunk;
    });
    const [code] = await once(child, 'close');
    assert.deepEqual([code, rest], [141, '']);
  });
