import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { type Made, madeIn } from '../../cli/made-copies.js';
import { repositoryRoot } from '../support/root.js';

/** Read out of histories that were recorded from real runs. */

const madeOf = (name: string): Made =>
  madeIn(historyFromJSON(JSON.parse(readFileSync(join(repositoryRoot, 'test/histories', name), 'utf8'))));

describe('what a run has made', () => {
  test('is told although the run failed in another store', () => {
    const { copies, replicas } = madeOf('backupRestic/one-of-two-stores-failed.json');
    assert.deepEqual(
      copies.map(({ resource, store, files }) => [resource, store, files]),
      [['photos', 'vault', 1]],
    );
    assert.match(copies[0]?.snapshot ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(replicas, []);
  });

  for (const name of ['no-repository', 'cancelled'])
    test(`is nothing where the copy did not come to its proof: ${name}`, () => {
      assert.deepEqual(madeOf(`backupRestic/${name}.json`), { copies: [], replicas: [] });
    });

  test('is a replica only once all of its datasets are proved', () => {
    const { replicas } = madeOf('replicateDatasets/first-copy.json');
    assert.equal(replicas.length, 1);
    assert.ok(replicas[0] && replicas[0].datasets > 1 && replicas[0].restorePoint);
    assert.deepEqual(madeOf('replicateDatasets/one-diverged.json').replicas, []);
  });

  for (const name of ['restoreDatasets/send-back', 'failBack/nothing-put-aside'])
    test(`is no copy where data went back to its source: ${name}`, () => {
      assert.deepEqual(madeOf(`${name}.json`), { copies: [], replicas: [] });
    });
});
