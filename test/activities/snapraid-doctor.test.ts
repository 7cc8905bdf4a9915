import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lookAtArrayFor } from '../../activities/snapraid/doctor.js';
import type { Config } from '../../config/schema.js';
import { fakeArray } from '../support/fake-snapraid.js';

/** What doctor says of an array, without asking snapraid. */

function lookedAt() {
  const { array, folder } = fakeArray();
  const config = {
    hosts: { nas: { tools: { snapraid: array.called.file, smartctl: array.smartctl } } },
    resources: { media: { host: 'nas', snapraid: array.config } },
  } as unknown as Config;
  return { folder, look: () => lookAtArrayFor({ ...array.tools, config }, 'media') };
}

test('doctor misses a parity file of an array that was synced, and none of one that never was', async () => {
  const { folder, look } = lookedAt();
  rmSync(join(folder, 'p/parity'));
  assert.equal((await look()).error, undefined);
  writeFileSync(join(folder, 'c/content'), 'list');
  assert.match((await look()).error ?? '', /parity has no file at .*p\/parity: do not sync, rebuild it/);
  // As after the first sync of disks without files.
  writeFileSync(join(folder, 'p/parity'), '');
  assert.equal((await look()).error, undefined);
  writeFileSync(join(folder, 'p/parity'), 'parity');
  const { error, warning } = await look();
  assert.equal(error, undefined);
  assert.match(warning ?? '', /content files lie on 1 disks, and 2 are wanted/);
});
