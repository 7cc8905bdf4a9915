import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lookAtArrayFor } from '../../activities/snapraid/doctor.js';
import type { Config, SnapraidArrayConfig } from '../../config/schema.js';
import { SnapraidArray } from '../../config/schema-array.js';
import { fakeArray } from '../support/fake-snapraid.js';
import { temporaryFolder } from '../support/temp.js';

/** What doctor says of an array, without asking snapraid. */

function lookedAt(share?: object, more: Partial<SnapraidArrayConfig> = {}) {
  const { array, folder } = fakeArray({
    config: { ...(share && { share: SnapraidArray.parse({ share }).share }), ...more },
  });
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

test('doctor warns of credentials of a share that are not there, or that others can read', async () => {
  const credentials = join(temporaryFolder(), 'samba');
  const { look } = lookedAt({ samba: 'media', credentials });
  assert.match((await look()).warning ?? '', /samba with the credentials of the share is not there/);
  writeFileSync(credentials, 'password = a secret');
  chmodSync(credentials, 0o644);
  const { warning, next } = await look();
  assert.match(warning ?? '', /others than its owner can read or change .*samba; snapraid\.conf.*; content/);
  assert.match(
    next ?? '',
    /^Let its owner alone read it: chmod 600; name another host under "copies".*; add "content"/,
  );
  chmodSync(credentials, 0o600);
  assert.doesNotMatch((await look()).warning ?? '', /samba/);
});

test('doctor warns of a marker that is no part of the array, and so is not rebuilt with its disk', async () => {
  for (const [line, isLeftOut] of [
    ['nohidden', true],
    ['exclude .*', true],
    ['exclude /.holdfast', true],
    ['exclude *.tmp', false],
  ] as const) {
    const { folder, look } = lookedAt(undefined, { marker: '.holdfast' });
    for (const disk of ['d1', 'd2']) writeFileSync(join(folder, disk, '.holdfast'), disk);
    appendFileSync(join(folder, 'snapraid.conf'), `${line}\n`);
    const { error, warning = '' } = await look();
    assert.equal(error, undefined);
    assert.equal(/leaves the marker \.holdfast out/.test(warning), isLeftOut, `${line}: ${warning}`);
  }
});

test('doctor warns of an array whose lists lie on its own machine alone', async () => {
  const alone = await lookedAt().look();
  assert.match(
    alone.warning ?? '',
    /snapraid\.conf, fstab and the list of files are kept on no other machine/,
  );
  assert.match(alone.next ?? '', /[Nn]ame another host under "copies" of the resource/);
  const kept = await lookedAt(undefined, { copies: { host: 'attic' } }).look();
  assert.doesNotMatch(kept.warning ?? '', /no other machine/);
});
