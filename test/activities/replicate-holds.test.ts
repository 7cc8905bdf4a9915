import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostEnds } from '../../activities/zfs/replicate-hosts.js';
import { localHost } from '../../system/local-host.js';
import { temporaryFolder } from '../support/temp.js';

/** Reading who holds what, with a zfs that knows as much as that of 2.1. */

const folder = temporaryFolder('holds');
const zfs = join(folder, 'zfs');
writeFileSync(
  zfs,
  `#!/bin/sh
case "$2" in *p*) echo "invalid option 'p'" >&2; exit 2;; esac
shift 2; code=0
for name in "$@"; do case "$name" in
*gone*) echo "cannot open '$name': dataset does not exist" >&2; code=1 ;;
*denied*) echo "cannot open '$name': permission denied" >&2; code=1 ;;
*) printf '%s\\tholdfast_fence\\tFri Nov 20  3:00 2026\\n' "$name" ;;
esac; done
exit $code
`,
);
chmodSync(zfs, 0o755);

const host = localHost({ name: 'din', stateFolder: folder });
const end = { host, signal: new AbortController().signal, zfs, zpool: 'zpool' };
const ends = hostEnds({ source: end, sourceRoot: 'fast/k', target: end, targetRoot: 'backup/k' });

test('holds are read from a ZFS before 2.2 as well, beside a snapshot that has vanished', async () => {
  const tags = await ends.holdTags('target', ["backup/it's@one", 'backup/gone@one', 'backup/b@two']);
  assert.deepEqual(
    [...tags],
    [
      ["backup/it's@one", ['holdfast_fence']],
      ['backup/b@two', ['holdfast_fence']],
    ],
  );
});

test('holds that cannot be read are a failure: nobody would ever release them', async () => {
  await assert.rejects(ends.holdTags('target', ['backup/a@one', 'backup/denied@one']), {
    code: 'HF_ZFS_DENIED',
  });
});
