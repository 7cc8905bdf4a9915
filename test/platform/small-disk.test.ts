import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { judgeOwnSpace } from '../../cli/doctor/here.js';
import { parseConfig } from '../../config/load.js';
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

test('the doctor says that the disk of the embedded server is full, and waits for no host that cannot answer', {
  skip: needs('mount'),
}, async () => {
  const disk = mountSmallDisk(16 * 2 ** 20);
  const { config } = parseConfig('hosts: { nas: {} }', 'holdfast.yaml');
  assert.ok(config);
  const judged = (address: string) => judgeOwnSpace(address, config, disk.folder);
  assert.deepEqual(await judged('127.0.0.1:7233'), []);
  assert.throws(() => writeFileSync(join(disk.folder, 'big'), Buffer.alloc(32 * 2 ** 20)), {
    code: 'ENOSPC',
  });
  const [finding] = await judged('127.0.0.1:7233');
  assert.equal(finding?.level, 'blocking');
  assert.match(finding?.found ?? '', /the embedded server cannot go on/);
  assert.deepEqual(await judged('cluster.lan:7233'), []);
});
