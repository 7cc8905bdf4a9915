import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { HoldfastError } from '../../contracts/errors.js';
import { startDaemon } from '../../system/daemon.js';
import { temporaryFolder } from '../support/temp.js';

test('a daemon of which the system made no process is an error, never one with the number 0', () => {
  const folder = temporaryFolder('daemon');
  assert.throws(
    () => startDaemon({ file: 'sleep', args: ['600'], cwd: join(folder, 'gone') }, join(folder, 'log')),
    (error) => error instanceof HoldfastError && /Cannot start sleep/.test(error.message),
  );
});
