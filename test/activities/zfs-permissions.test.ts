import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neededPermissions, parseAllowed, parseZfsVersion } from '../../activities/zfs/permissions.js';
import { parseConfig } from '../../config/load.js';

/** As OpenZFS 2.3.9 prints it. */
const said = `---- Permissions on fast/b4/d/e --------------------------------------
Local permissions:
\tuser holdfast bookmark
---- Permissions on fast/b4/d ----------------------------------------
Local permissions:
\tuser holdfast rename
Local+Descendent permissions:
\tuser holdfast destroy,snapshot
\tuser somebody send
\tgroup users hold
\teveryone release
---- Permissions on fast/b4 ------------------------------------------
Descendent permissions:
\tuser holdfast userprop
Local+Descendent permissions:
\tuser holdfast mount
`;

test('what is granted on a dataset and handed down from above it', () => {
  const granted = parseAllowed(said, 'fast/b4/d/e', 'holdfast');
  assert.deepEqual([...(granted ?? [])].sort(), [
    'bookmark',
    'destroy',
    'hold',
    'mount',
    'release',
    'snapshot',
    'userprop',
  ]);
});

test('sets are not guessed at, and nothing at all grants nothing', () => {
  assert.equal(parseAllowed(said.replace('bookmark', '@backup'), 'fast/b4/d/e', 'holdfast'), undefined);
  assert.equal(parseAllowed('', 'fast', 'holdfast')?.size, 0);
});

test('each dataset is told once, with all that the jobs of its host need', () => {
  const { config } = parseConfig(
    JSON.stringify({
      hosts: { din: {}, grogu: {} },
      resources: {
        k: { host: 'din', dataset: 'fast/k' },
        v: { host: 'din', dataset: 'fast/v' },
        other: { host: 'grogu', dataset: 'backup/x' },
      },
      jobs: {
        a: { kind: 'zfs-snapshot', resources: ['k', 'v'] },
        b: { kind: 'zfs-snapshot', resources: ['k'], keep: { last: 1 } },
        c: { kind: 'zfs-snapshot', resources: ['other'] },
      },
    }),
    '/holdfast.yaml',
  );
  assert.ok(config);
  assert.deepEqual(neededPermissions(config, 'din', [2, 3, 9]), [
    { dataset: 'fast/k', permissions: ['destroy', 'mount', 'snapshot', 'userprop'] },
    { dataset: 'fast/v', permissions: ['snapshot', 'userprop'] },
  ]);
});

test('the version of the tools is read, whatever follows it', () => {
  assert.deepEqual(parseZfsVersion('zfs-2.3.9-0+deb13u1\nzfs-kmod-2.2.0-1\n'), [2, 3, 9]);
  assert.deepEqual(parseZfsVersion('what?'), []);
});

test('a replication needs as little as the version of ZFS at either end can grant', () => {
  const { config } = parseConfig(
    JSON.stringify({
      hosts: { din: {}, grogu: { ssh: { address: '10.0.0.2', user: 'root', via: 'din' } } },
      resources: { k: { host: 'din', dataset: 'fast/k' } },
      stores: { grogu: { zfs: { host: 'grogu', dataset: 'backup' } } },
      jobs: { a: { kind: 'zfs-replication', resources: ['k'], store: 'grogu', encrypted: 'required' } },
    }),
    '/holdfast.yaml',
  );
  assert.ok(config);
  const needs = (host: string, version: number[]): string[] =>
    neededPermissions(config, host, version).flatMap(({ permissions }) => permissions);
  assert.deepEqual(
    needs('din', [2, 4, 0]).filter((one) => one.startsWith('send')),
    ['send:raw'],
  );
  assert.deepEqual(
    needs('din', [2, 3, 9]).filter((one) => one.startsWith('send')),
    ['send'],
  );
  assert.deepEqual(
    needs('grogu', [2, 4, 1]).filter((one) => one.startsWith('receive')),
    ['receive:append'],
  );
  assert.deepEqual(
    needs('grogu', [2, 2, 0]).filter((one) => one.startsWith('receive')),
    ['receive'],
  );
  assert(!needs('grogu', [2, 4, 1]).includes('rollback'), 'by itself nothing is rolled back');
  assert(!needs('grogu', [2, 4, 1]).includes('destroy'), 'nothing is destroyed in a normal run');
  const wanted = (version: number[]) => neededPermissions(config, 'grogu', version).map((one) => one.wanted);
  assert.deepEqual(wanted([2, 4, 1]), [['destroy']], 'giving up what has arrived of a stream destroys');
  assert.deepEqual(wanted([0, 8, 3]), [['destroy']]);
  assert.deepEqual(
    neededPermissions(config, 'din', [2, 4, 1]).map((one) => one.wanted),
    [undefined],
  );
});
