import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../activities/restic/listing.js';
import type { Snapshot } from '../../activities/restic/parse.js';
import { sparsenessFindings } from '../../activities/restic/sparse-check.js';

const size = 2 ** 24;
const node = (name: string, mtimeNs: string): Node => ({
  path: `/srv/vm/${name}`,
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size,
  mtimeNs,
});
const snapshot: Snapshot = {
  id: 'a1',
  time: '2026-11-20T03:30:00Z',
  hostname: 'nas',
  paths: ['/srv/vm'],
  tags: ['run:vm-1'],
};
const noted = ['a', 'b'].map((path) => ({ path, size, mtimeNs: '1', allocated: 0 }));
const found = (...nodes: Node[]) =>
  sparsenessFindings(
    { nodes, snapshot, root: '/srv/vm', sparseNote: { run: 'vm-1', files: noted } },
    new Map(nodes.map(({ path }) => [path, { allocated: 0 }])),
  );

test('files that are as they were noted are all that there is to say of sparseness', () => {
  const { verified, notVerified } = found(node('a', '1'), node('b', '1'), node('c', '1'));
  assert.match(verified.join(), /sparseness: 2 files/);
  assert.deepEqual(notVerified, []);
});

test('a noted file that was written to before it was copied is not silently taken for compared', () => {
  const { verified, notVerified } = found(node('a', '1'), node('b', '2'));
  assert.match(verified.join(), /sparseness: 1 files/);
  assert.match(notVerified.join(), /sparseness of the other files: 1 of them changed while they were copied/);
});
