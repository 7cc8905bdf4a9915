import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foundReplicas, replicaWith } from '../../activities/zfs/found-replicas.js';
import { dataset, listingOf, snapshot } from '../support/zfs-trees.js';

const replica = { replicaOf: '111', usedBytes: 5000 };
const locked = { encryption: 'aes-256-gcm', keyStatus: 'unavailable' };
const tree = listingOf([
  dataset('backup', {}),
  dataset('backup/own', {}, [snapshot('mine', 5)]),
  dataset('backup/k 8s', replica, [snapshot('one', 10), snapshot('two', 20)]),
  dataset('backup/k 8s/pvc', { replicaOf: '222', ...locked }, [snapshot('one', 10), snapshot('two', 20)]),
  dataset('backup/k 8s/left', { replicaOf: '333' }, [snapshot('one', 10)]),
  dataset('backup/k 8s/cut', { replicaOf: '444', resumeToken: '1-abc' }, [snapshot('two', 20)]),
  dataset('backup/k 8s/pvc.parked-2026-11-20T030000Z', { replicaOf: '222' }, [snapshot('one', 10)]),
  dataset('backup/k 8s-not below', {
    replicaOf: '555',
    role: 'promoted vms.failover-2026-11-20T03:00:00Z grogu',
  }),
  dataset('backup/k 8s.parked-2026-11-20T030000Z', { replicaOf: '111' }, [snapshot('one', 10)]),
  dataset('fast', {}),
  dataset('fast/k', { role: 'standby vms.failover-2026-11-20T03:00:00Z grogu' }, [snapshot('two', 20)]),
  dataset('fast/k/child', { role: 'standby vms.failover-2026-11-20T03:00:00Z grogu' }),
]);

test('a replica is known by our marks alone, with what is older, cut, encrypted or locked in it', () => {
  const [first] = foundReplicas(tree);
  assert.deepEqual(first, {
    name: 'backup/k 8s',
    role: 'replica',
    sourceGuid: '111',
    datasets: 4,
    usedBytes: 5000,
    newest: { snapshot: 'two', creationS: 1_795_000_020 },
    older: ['backup/k 8s/left'],
    unfinished: ['backup/k 8s/cut'],
    encrypted: 1,
    locked: ['backup/k 8s/pvc'],
  });
});

test('what is in use, stands by or was parked says so, and what carries no mark is none of ours', () => {
  assert.deepEqual(
    foundReplicas(tree).map(({ name, role, roleRun }) => [name, role, roleRun]),
    [
      ['backup/k 8s', 'replica', undefined],
      ['backup/k 8s-not below', 'promoted', 'vms.failover-2026-11-20T03:00:00Z'],
      ['backup/k 8s.parked-2026-11-20T030000Z', 'parked', undefined],
      ['fast/k', 'standby', 'vms.failover-2026-11-20T03:00:00Z'],
    ],
  );
});

test('a dataset belongs to the replica that it lies in, and to none whose name merely begins alike', () => {
  const found = foundReplicas(tree);
  assert.equal(replicaWith(found, 'backup/k 8s/pvc/deeper')?.name, 'backup/k 8s');
  assert.equal(replicaWith(found, 'backup/k 8s-not below/x')?.name, 'backup/k 8s-not below');
  assert.equal(replicaWith(found, 'backup/own'), undefined);
});
