import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parkedName } from '../../activities/zfs/replicate-names.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import { wholePolicy } from '../support/zfs-trees.js';
import { ModelEnds } from './ends.js';
import { snapshotTree } from './foreign.js';
import { Pool, World } from './pool.js';

/** The root of a replica is put aside with all that lies below it: only the root is copied anew. */

const [sourceRoot, targetRoot] = ['fast/vms', 'backup/vms'];
const aside = parkedName(targetRoot, new Date('2026-11-20T04:00:00Z'));

function estate() {
  const world = new World();
  const [source, target] = [new Pool(world, 'fast'), new Pool(world, 'backup')];
  for (const name of ['', '/db', '/db/log', '/web 1']) source.create(`${sourceRoot}${name}`).written = 100;
  target.create('backup/vms-other');
  const copy = async () => {
    const ends = new ModelEnds(source, sourceRoot, target, targetRoot);
    const request = { sourceRoot, targetRoot, policy: wholePolicy };
    const { last } = await replicate(ends, request, {
      destination: wholePolicy.destination,
      run: 'copy',
      parallel: 2,
    });
    return { ends, last };
  };
  return { source, target, copy };
}

test('the sound replicas below a root that was parked come back to their place and go on', async () => {
  const { source, target, copy } = estate();
  snapshotTree(source, sourceRoot, 'hourly-2026-11-20T03:00:00Z');
  await copy();
  const below = ['db', 'db/log', 'web 1'];
  const guids = () => below.map((name) => target.dataset(`${targetRoot}/${name}`).guid);
  const before = guids();
  target.rename(targetRoot, aside);
  snapshotTree(source, sourceRoot, 'hourly-2026-11-20T04:00:00Z');
  const { ends, last } = await copy();
  assert.deepEqual(guids(), before);
  const isFull = (words: readonly string[]): boolean => !words.includes('-i') && !words.includes('-I');
  assert.deepEqual(
    ends.sent.filter(({ words }) => isFull(words)).map(({ words }) => words.at(-1)?.split('@')[0]),
    [sourceRoot],
  );
  assert.deepEqual(
    last.plans.map(({ kind, target: name }) => [kind, name]),
    ['', '/db', '/db/log', '/web 1'].map((name) => ['nothing', `${targetRoot}${name}`]),
  );
  assert(target.datasets.has(aside), 'what was parked is the operator’s');
  assert.deepEqual(
    [...target.datasets.keys()].filter((name) => name.startsWith(`${aside}/`)),
    [],
  );
});

test('a look that finds everything in its place asks for nothing that lies beside', async () => {
  const { source, target, copy } = estate();
  snapshotTree(source, sourceRoot, 'hourly-2026-11-20T03:00:00Z');
  await copy();
  target.create(aside);
  const { ends } = await copy();
  assert.equal(ends.commands, 2);
});
