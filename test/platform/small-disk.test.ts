import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { mountSmallDisk } from '../support/disk.js';
import { needs } from '../support/needs.js';

test('a small disk is one of its own, fills up, and keeps its files while it is away', {
  skip: needs('mount'),
}, () => {
  const disk = mountSmallDisk(16 * 2 ** 20);
  const file = join(disk.folder, 'kept');
  writeFileSync(file, 'here');
  assert.notEqual(statSync(disk.folder).dev, statSync(dirname(disk.folder)).dev);
  assert.throws(() => writeFileSync(join(disk.folder, 'big'), Buffer.alloc(32 * 2 ** 20)), {
    code: 'ENOSPC',
  });
  disk.unmount();
  assert.throws(() => statSync(file), { code: 'ENOENT' });
  disk.mount();
  assert.equal(statSync(file).size, 4);
});
