import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../activities/restic/listing.js';
import type { Snapshot } from '../../activities/restic/parse.js';
import { sparsenessCheck } from '../../activities/restic/sparse-check.js';

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
function found(...nodes: Node[]) {
  const sparseness = { note: { run: 'vm-1', files: noted }, without: 'nobody noted any' };
  const check = sparsenessCheck({ nodes, snapshot, root: '/srv/vm', sparseness });
  for (const seen of nodes) check.see(seen, { allocated: 0 });
  return check.end();
}

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
