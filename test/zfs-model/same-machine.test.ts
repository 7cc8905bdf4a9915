import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import { wholePolicy } from '../support/zfs-trees.js';
import { ModelEnds } from './ends.js';
import { snapshotTree } from './foreign.js';
import { Pool, World } from './pool.js';

/** Two hosts of the file that are one machine: what is taken for the replica is the source itself. */

function machine(): Pool {
  const pool = new Pool(new World(), 'tank');
  for (const name of ['tank/data', 'tank/data/live', 'tank/data/live/db', 'tank/backups']) pool.create(name);
  snapshotTree(pool, 'tank/data', 'hourly-2026-11-20T03:00:00Z');
  return pool;
}

const places: [what: string, sourceRoot: string, targetRoot: string][] = [
  ['is the source', 'tank/data', 'tank/data'],
  ['lies above the source', 'tank/data/live', 'tank/data'],
  ['would lie inside of the source', 'tank/data', 'tank/data/data'],
  ['lies inside of the source', 'tank/data', 'tank/data/live'],
];

for (const [what, sourceRoot, targetRoot] of places)
  test(`a replica that ${what} is refused before anything is changed`, async () => {
    const pool = machine();
    const before = [...pool.datasets.keys()];
    // Where the replica is not there yet, what lies above its place is listed.
    const listed = pool.datasets.has(targetRoot) ? targetRoot : 'tank/data';
    const ends = new ModelEnds(pool, sourceRoot, pool, listed);
    await assert.rejects(
      replicate(
        ends,
        { sourceRoot, targetRoot, policy: wholePolicy },
        { destination: wholePolicy.destination, run: 'copy', parallel: 2 },
      ),
      {
        code: 'HF_REPLICA_IS_SOURCE',
        message: /^tank\/data\S*, where the replica is or would be, is tank\/data/,
      },
    );
    assert.deepEqual([ends.log, [...pool.datasets.keys()]], [[], before]);
  });

test('another place of the same pool is no such place', async () => {
  const pool = machine();
  const ends = new ModelEnds(pool, 'tank/data', pool, 'tank/backups');
  const { last } = await replicate(
    ends,
    { sourceRoot: 'tank/data', targetRoot: 'tank/backups/data', policy: wholePolicy },
    { destination: wholePolicy.destination, run: 'copy', parallel: 2 },
  );
  assert(pool.datasets.has('tank/backups/data/live/db'));
  assert.deepEqual([...new Set(last.plans.map(({ kind }) => kind))], ['nothing']);
});
