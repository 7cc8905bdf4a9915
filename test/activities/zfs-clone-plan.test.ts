import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CloneRequest, chooseClones } from '../../activities/zfs/clone-plan.js';
import { dataset, snapshot } from '../support/zfs-trees.js';

const root = 'fast/k';
const one = (txg = 10) => snapshot('one', txg, { job: 'hourly', run: 'hourly-1' });
const tree = [
  dataset(root, {}, [one(), snapshot('two', 20, { job: 'hourly', run: 'hourly-2' })]),
  dataset(`${root}/a b`, {}, [one()]),
  dataset(`${root}/a b/vol`, { type: 'volume' }, [one()]),
  dataset(`${root}/late`, { createtxg: 15 }, []),
  dataset(`${root}/lost`, {}, []),
  dataset(`${root}/lost/below`, {}, [one()]),
];
const plan = (more: Partial<CloneRequest> = {}) =>
  chooseClones(tree, { root, target: `${root}-restored`, paths: [], copy: 'one', ...more });

test('a tree is cloned with its zvols, parents first; what has no snapshot is named, what is younger is not missed', () => {
  const { clones, notes } = plan();
  assert.deepEqual(
    clones.map(({ from, to, type }) => [from, to, type]),
    [
      [root, `${root}-restored`, 'filesystem'],
      [`${root}/a b`, `${root}-restored/a b`, 'filesystem'],
      [`${root}/a b/vol`, `${root}-restored/a b/vol`, 'volume'],
    ],
  );
  assert.deepEqual(notes, ['fast/k/lost has no snapshot @one']);
});

test('a path names one dataset below the resource, which becomes the new one itself', () => {
  assert.deepEqual(
    plan({ paths: ['a b/'] }).clones.map(({ from, to }) => [from, to]),
    [
      [`${root}/a b`, `${root}-restored`],
      [`${root}/a b/vol`, `${root}-restored/vol`],
    ],
  );
  assert.throws(() => plan({ paths: ['a'] }), { code: 'HF_PATH_NOT_FOUND' });
  assert.throws(() => plan({ paths: ['late'] }), { code: 'HF_COPY_NOT_FOUND' });
});
