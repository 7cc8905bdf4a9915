import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { destroySnapshots } from '../../activities/zfs/destroy.js';
import { localHost } from '../../system/local-host.js';
import { fakeZfs } from '../support/fake-zfs.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder('destroy');
const notes = join(folder, 'notes');
const lua = join(folder, 'lua');
const zfs = join(folder, 'zfs program');
writeFileSync(
  zfs,
  `#!/bin/sh
cat > '${lua}'
printf '%s\\n' "$@" > '${notes}'
printf '%s' '{"return":{"fast/a b@s1":"destroyed","fast/a b@s2":"errno 16","fast/q@s1":"other"}}'
`,
);
chmodSync(zfs, 0o755);

test('where a channel program may be run, it comes over standard input and judges each guid itself', async () => {
  const state = join(folder, 'state');
  const host = localHost({ name: 'din', stateFolder: state });
  const left = await destroySnapshots(
    fakeZfs(['fast'], {}).tools('hourly-2026-11-20T03:00:00Z'),
    { host, signal: new AbortController().signal, zfs, zpool: 'zpool' },
    [
      { dataset: 'fast/a b', snapshot: 's1', guid: '18446744073709551557' },
      { dataset: 'fast/a b', snapshot: 's2', guid: '7' },
      { dataset: 'fast/q', snapshot: 's1', guid: '8' },
    ],
  );
  assert.deepEqual(readFileSync(notes, 'utf8').trim().split('\n'), [
    ...['program', '-j', 'fast', '-'],
    ...['fast/a b@s1', 'guid-59', 'fast/a b@s2', 'guid7', 'fast/q@s1', 'guid8'],
  ]);
  assert.match(readFileSync(lua, 'utf8'), /zfs\.sync\.destroy\(name\)/);
  assert.deepEqual(
    [...left],
    [
      ['fast/a b@s2', 'is held'],
      ['fast/q@s1', 'is another snapshot by now'],
    ],
  );
  assert.ok(!existsSync(join(state, 'zfs')), 'nothing that root would run lies on the disk');
});
