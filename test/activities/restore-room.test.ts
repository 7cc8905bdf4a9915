import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../activities/restic/listing.js';
import { roomFor } from '../../activities/restic/room.js';

const file = (path: string, size: number, more: Partial<Node> = {}): Node => ({
  ...{ path, type: 'file', mode: 0o644, uid: 0, gid: 0, size, mtimeNs: '5' },
  ...more,
});
const root = '/srv/photos';
const bytesOf = (
  nodes: Node[],
  files: { path: string; size: number; mtimeNs: string; allocated: number }[] = [],
  keepsHoles = true,
) => roomFor({ nodes, root, note: { run: 'r', files } }, keepsHoles).bytes;

test('a file with several names takes its bytes once', () => {
  const names = ['a', 'b', 'c'].map((name) => file(`${root}/${name}`, 100, { inode: 7 }));
  assert.equal(bytesOf([...names, file(`${root}/d`, 10, { inode: 8 })]), 110);
});

test('files that only share a number, of two file systems, or have none, count each', () => {
  assert.equal(bytesOf([file('/1', 100, { inode: 7 }), file('/2', 200, { inode: 7 })]), 300);
  assert.equal(bytesOf([file('/1', 100), file('/2', 100)]), 200);
});

test('holes that were noted take a tenth at most, of a file in the noted state only, and where restic makes holes', () => {
  const nodes = [file(`${root}/disk.img`, 1000)];
  const noted = { path: 'disk.img', size: 1000, mtimeNs: '5', allocated: 100 };
  assert.equal(bytesOf(nodes, [noted]), 190);
  assert.equal(bytesOf(nodes, [noted], false), 1000);
  assert.equal(bytesOf(nodes, [{ ...noted, mtimeNs: '6' }]), 1000);
  assert.equal(bytesOf(nodes, [{ ...noted, allocated: 5000 }]), 1000);
});

test('a sparse file with two names takes what it had allocated once', () => {
  const nodes = ['b.img', 'disk.img'].map((name) => file(`${root}/${name}`, 1000, { inode: 7 }));
  const noted = { size: 1000, mtimeNs: '5', allocated: 100 };
  const files = ['disk.img', 'b.img'].map((path) => ({ path, ...noted }));
  assert.equal(bytesOf(nodes, files), 190);
});
