import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '../../activities/restic/parse.js';
import { sparseTag, staleNotes } from '../../activities/restic/sparse-copy.js';

const listed = (id: string, ...tags: string[]): Snapshot => ({
  id,
  tags,
  time: '2026-11-20T03:30:00Z',
  hostname: 'nas',
  paths: [],
});
const copy = (run: string) => listed(`copy-${run}`, 'holdfast', 'job:vm', 'resource:vm', `run:${run}`);
const note = (id: string, ...marks: string[]) =>
  listed(id, sparseTag, ...marks.map((mark) => `sparse:${mark}`));

test('a note of sparse files goes when its copies are gone; the newest of each resource stays', () => {
  const listing = [
    note('old', 'vm/1'),
    note('of a copy', 'vm/2'),
    copy('2'),
    note('of what is no longer copied', 'vm/3', 'db/3'),
    note('newest', 'vm/4'),
  ];
  assert.deepEqual(staleNotes(listing), ['old']);
});

test('a copy of another resource by the same run keeps no note', () => {
  assert.deepEqual(staleNotes([copy('1'), note('other', 'db/1'), note('newest', 'db/2')]), ['other']);
});

test('what is anything besides a note is never taken for one', () => {
  const others = ['holdfast', 'job:vm', 'run:1', 'mine', 'holdfast-config'].map((tag) =>
    listed(tag, sparseTag, 'sparse:vm/1', tag),
  );
  assert.deepEqual(staleNotes([...others, note('newest', 'vm/9')]), []);
  assert.deepEqual(staleNotes([]), []);
});
