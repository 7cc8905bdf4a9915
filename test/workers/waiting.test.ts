import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startHoldfast } from '../support/children.js';
import { temporaryFolder } from '../support/temp.js';

for (const args of [['worker', '--host', 'nas'], ['orchestrator']]) {
  test(`holdfast ${args[0]} ends at once when it is asked to while it waits for Temporal`, async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'state'));
    const file = join(folder, 'holdfast.yaml');
    // Nobody may listen on port 1.
    writeFileSync(file, 'temporal: { address: "127.0.0.1:1" }\nhosts: { nas: {} }\n');
    const child = startHoldfast(args, {
      HOLDFAST_CONFIG: file,
      HOLDFAST_STATE: join(folder, 'state'),
      HOLDFAST_LOG: 'info',
    });
    await child.waitForLine('waiting for Temporal', 30_000);
    const { code } = await child.stop('SIGTERM');
    assert.equal(code, 0);
  });
}
